/**
 * The import law. An arrow that is not here is a violation; a new one is added in the commit
 * that needs it, with its reason. Tests are free, but for testing/: they build whole systems.
 *
 *   contracts ← errors ← adapters/* ┐
 *   contracts ← ports  ← adapters/* ┤
 *   contracts ← domain ← approval   ├─ sidecar, runtime ← functions/*, cli     testing ← *.test.ts only
 *   (types only)                    ┘  (only the composition roots name adapters)
 */

const tests = "\\.test\\.ts$";
const [contracts, errors, ports, domain, data, runtime, approval] = [
  "^shared/contracts/",
  "^shared/errors/",
  "^shared/ports/",
  "^shared/domain/",
  "^shared/data/",
  "^shared/runtime/",
  "^shared/approval/",
];

/** What a layer may import of our own code, besides itself. */
const layer = (folder, may, comment) => ({
  name: `${folder}-sees-only-its-own`,
  comment,
  severity: "error",
  from: { path: `^${folder}/`, pathNot: tests },
  to: { path: "^(shared|functions|cli|\\.config)/", pathNot: [`^${folder}/`, ...may] },
});

/** What an adapter may import from npm: the one vendor it adapts. */
const vendor = (name, adapter, packages) => ({
  name,
  severity: "error",
  from: { path: `^shared/adapters/${adapter}/`, pathNot: tests },
  to: { path: "node_modules/", pathNot: packages.map((vendor) => `node_modules/(@types/)?${vendor}/`) },
});

module.exports = {
  forbidden: [
    { name: "no-ring", severity: "error", from: {}, to: { circular: true } },
    { name: "no-unresolved", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "testing-in-tests-only",
      severity: "error",
      comment: "the benchmarks start a RabbitMQ the way the tests do",
      from: { pathNot: [tests, "^shared/testing/", "^cli/bench/", "^\\.config/"] },
      to: { path: "^shared/testing/" },
    },

    layer("shared/contracts", [], "the shapes know nobody"),
    layer("shared/errors", [contracts], "a code and its row"),
    layer(
      "shared/ports",
      [contracts, "^shared/domain/audit/(record|chain)\\.ts$"],
      "a port is types; what is recorded is the domain's to say",
    ),
    layer("shared/domain", [contracts, errors], "pure: no port, no adapter"),
    layer(
      "shared/approval",
      [contracts, errors, domain],
      "signatures need the domain's canonical JSON, and files of keys",
    ),
    layer("shared/data", [contracts, errors, domain], "tables know no queue"),
    layer("shared/runtime", [contracts, errors, domain, ports], "the function's side names no adapter"),
    layer("shared/sidecar", [contracts, errors, domain, ports, approval], "the daemon names no adapter"),
    layer(
      "shared/adapters",
      [
        contracts,
        errors,
        ports,
        "^shared/domain/(route|limits|message-size|version|knowledge-key)\\.ts$",
        "^shared/domain/audit/(record|chain)\\.ts$",
        "^shared/runtime/(define-step|run-chain|invocation-context)\\.ts$",
      ],
      "names, limits, keys, the version and the chain of a record are the domain's; the in-memory invoker runs steps as the runtime does",
    ),
    {
      name: "domain-has-no-io",
      severity: "error",
      from: { path: domain, pathNot: tests },
      to: { dependencyTypes: ["core", "npm", "npm-dev"] },
    },

    {
      name: "adapters-are-apart",
      severity: "error",
      comment: "the in-memory adapters use the system's clock by default",
      from: { path: "^shared/adapters/([^/]+)/", pathNot: tests },
      to: { path: "^shared/adapters/", pathNot: ["^shared/adapters/$1/", "^shared/adapters/system/"] },
    },
    vendor("adapter-amqp-has-one-vendor", "amqp", ["amqplib"]),
    vendor("adapter-prometheus-has-one-vendor", "prometheus", ["prom-client"]),
    vendor("other-adapters-have-no-vendor", "(?!(amqp|prometheus)/)[^/]+", []),

    layer(
      "functions",
      [contracts, errors, domain, runtime, data, approval, "^shared/(ports|sidecar)/"],
      "a function names no adapter; the orchestrator alone has ports and the sidecar's client, see below",
    ),
    layer(
      "k8s/check",
      [
        "^cli/stack/",
        "^cli/commands/sidecar\\.ts$",
        "^shared/domain/nearest-name\\.ts$",
        "^shared/adapters/(prometheus/metrics|openfaas/listed-functions)\\.ts$",
      ],
      "what manifests name is compared with what says it: the stack file, the command's options, the metrics, the list of functions",
    ),
    {
      name: "checks-of-manifests-are-nobodys",
      severity: "error",
      from: { pathNot: ["^k8s/", "^\\.config/"] },
      to: { path: "^k8s/" },
    },
    {
      name: "functions-are-apart",
      severity: "error",
      from: { path: "^functions/([^/]+)/", pathNot: tests },
      to: { path: "^functions/", pathNot: "^functions/$1/" },
    },
    {
      name: "approvals-are-for-two-steps",
      severity: "error",
      comment: "one signs, and the one that opens data verifies; the others see what was approved",
      from: { path: "^functions/(?!policy-enforcer/|sql-query/)", pathNot: tests },
      to: { path: approval },
    },
    {
      name: "data-is-for-sql-steps",
      severity: "error",
      comment:
        "the orchestrator writes tables in the formats of answers, and does no more with them; agreement-check has the engine read predicates",
      from: { path: "^functions/(?!sql-|agreement-check/)", pathNot: tests },
      to: { path: data, pathNot: "^shared/data/(answer-formats/|table-source\\.ts$)" },
    },
    {
      name: "only-the-orchestrator-calls-the-sidecar",
      severity: "error",
      from: { path: "^functions/(?!orchestrator/)", pathNot: tests },
      to: { path: "^shared/(ports|sidecar)/" },
    },
    {
      name: "the-orchestrator-is-a-client",
      severity: "error",
      from: { path: "^functions/orchestrator/", pathNot: tests },
      to: { path: "^shared/sidecar/", pathNot: "^shared/sidecar/client\\.ts$" },
    },
    {
      name: "steps-stay-lean",
      severity: "error",
      comment: "by whatever way: a worker loads all that its step reaches",
      from: { path: "^functions/(?!orchestrator/)", pathNot: tests },
      to: { path: "node_modules/(@grpc/grpc-js|amqplib|ajv)/", reachable: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^build/" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default"] },
  },
};
