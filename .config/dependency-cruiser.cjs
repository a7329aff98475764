/**
 * The import law. An arrow that is not here is a violation; a new one is added in the commit
 * that needs it, with its reason.
 *
 *   contracts ← errors ← adapters/* ┐
 *   contracts ← ports  ← adapters/* ┤
 *   contracts ← domain              ├─ sidecar, runtime ← functions/*, cli     testing ← *.test.ts only
 *   (types only)                    ┘  (only the composition roots name adapters)
 */

const tests = "\\.test\\.ts$";

/** @param {string} layer @param {string[]} may folders below the root, as regular expressions */
const only = (layer, may, comment) => ({
  name: `${layer.replaceAll("\\", "")}-sees-only-its-own`,
  comment,
  severity: "error",
  from: { path: `^${layer}/`, pathNot: tests },
  to: { path: "^(shared|functions|cli|\\.config)/", pathNot: [`^${layer}/`, ...may].map((path) => path) },
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
    only("shared/contracts", [], "the shapes know nobody"),
    only("shared/errors", ["^shared/contracts/"], "a code and its row"),
    only("shared/ports", ["^shared/contracts/"], "a port is types"),
    only("shared/domain", ["^shared/contracts/", "^shared/errors/"], "pure: no port, no adapter"),
    {
      name: "domain-has-no-io",
      severity: "error",
      from: { path: "^shared/domain/", pathNot: tests },
      to: { dependencyTypes: ["core", "npm", "npm-dev"] },
    },
    only("shared/data", ["^shared/contracts/", "^shared/errors/", "^shared/domain/"], "tables know no queue"),
    only(
      "shared/runtime",
      ["^shared/contracts/", "^shared/errors/", "^shared/domain/", "^shared/ports/"],
      "the function's side names no adapter",
    ),
    only(
      "shared/sidecar",
      ["^shared/contracts/", "^shared/errors/", "^shared/domain/", "^shared/ports/"],
      "the daemon names no adapter",
    ),
    only(
      "shared/adapters",
      [
        "^shared/contracts/",
        "^shared/errors/",
        "^shared/domain/",
        "^shared/ports/",
        "^shared/runtime/(define-step|run-step)",
      ],
      "the in-memory invoker runs steps as the runtime does",
    ),
    {
      name: "one-vendor-an-adapter",
      severity: "error",
      comment: "the in-memory adapters use the system's clock by default",
      from: { path: "^shared/adapters/([^/]+)/", pathNot: tests },
      to: { path: "^shared/adapters/", pathNot: ["^shared/adapters/$1/", "^shared/adapters/system/"] },
    },
    {
      name: "functions-name-no-adapter",
      severity: "error",
      from: { path: "^functions/", pathNot: tests },
      to: { path: "^(shared/(adapters|testing)|cli)/" },
    },
    {
      name: "functions-are-apart",
      severity: "error",
      from: { path: "^functions/([^/]+)/", pathNot: tests },
      to: { path: "^functions/", pathNot: "^functions/$1/" },
    },
    {
      name: "data-is-for-sql-steps",
      severity: "error",
      comment: "the orchestrator turns tables into JSON, and does no more with them",
      from: { path: "^functions/(?!sql-)", pathNot: tests },
      to: { path: "^shared/data/", pathNot: "^shared/data/table-json\\.ts$" },
    },
    {
      name: "only-the-orchestrator-calls-the-sidecar",
      severity: "error",
      from: { path: "^functions/(?!orchestrator/)", pathNot: tests },
      to: { path: "^shared/sidecar/" },
    },
    {
      name: "steps-stay-lean",
      severity: "error",
      from: { path: "^(functions/(?!orchestrator/)|shared/(runtime|data|domain|errors)/)", pathNot: tests },
      to: { path: "node_modules/(@grpc/grpc-js|amqplib|ajv)/" },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(build|node_modules)/" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default"] },
  },
};
