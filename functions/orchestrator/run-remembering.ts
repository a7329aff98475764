/**
 * Asks one query, and gives an earlier answer again where that is what it would get: the query is decided on, counted
 * and planned as any other, and where the plan is that of the earlier answer each provider says, under its agreement
 * of this moment, whether its data is still what that answer was made of. Nothing is computed then. In every other
 * case the query runs under its next attempt (docs/result-cache.md).
 */
import type { Plan, Reuse } from "#contracts";
import { dataOf, openedBy, planKey, questionKey } from "#domain/reuse";
import { toDynamosError } from "#errors";
import { type Answer, answerOf } from "./answer.ts";
import { answeringChains, type Collected, nothingCollected } from "./collect.ts";
import type { RememberedAnswer, ResultCache } from "./result-cache.ts";
import { ask, type RunOptions, runQuery } from "./run-query.ts";

export interface RememberingOptions extends RunOptions {
  /** Who asks, as the token says. */
  readonly subject: string;
}

const nothingKnown: Reuse = { queryId: "", answeredAtMs: 0, data: [] };

/** As `runQuery`. */
export function runRemembering(cache: ResultCache): (options: RememberingOptions) => Promise<Answer> {
  return async (options) => {
    const question = questionKey(options.subject, options.query);
    const earlier = cache.find(question);
    if (earlier === undefined) return runAndRemember(options, question, options.attempt ?? 1);
    const startedAt = performance.now();
    const { queryId, answeredAtMs, data } = earlier;
    const query = { ...options.query, reuse: { queryId, answeredAtMs, data: [...data] } };
    const asked = await ask({ ...options, query }, isCompared);
    const { collected, cutShort } = asked;
    const totalMs = () => performance.now() - startedAt;
    if (cutShort !== undefined || collected.plan === undefined) {
      return answerOf({ id: query.id, ...asked, totalMs: totalMs() });
    }
    if (!isSame(earlier, collected, collected.plan)) {
      cache.forget(question);
      return runAndRemember(options, question, collected.attempt + 1);
    }
    try {
      await options.api.recordReuse(query, collected.plan);
    } catch (error) {
      const failed = toDynamosError(error).toFailure();
      const nothing = { ...nothingCollected, failed };
      return answerOf({ id: query.id, collected: nothing, cutShort, totalMs: totalMs() });
    }
    const reused = { queryId, answeredAtMs };
    const again = { ...collected, ends: earlier.ends };
    return answerOf({ id: query.id, collected: again, cutShort, totalMs: totalMs(), reused });
  };

  async function runAndRemember(options: RememberingOptions, question: string, attempt: number): Promise<Answer> {
    let collected: Collected = nothingCollected;
    const answer = await runQuery({
      ...options,
      attempt,
      query: { ...options.query, reuse: nothingKnown },
      onProgress: (known) => {
        collected = known;
        options.onProgress(known);
      },
    });
    const remembered = rememberedOf(answer.id, collected, cache.now());
    if (remembered !== undefined) cache.remember(question, remembered);
    return answer;
  }
}

/** What came of it before there was a plan is its answer; else every provider has said something. */
function isCompared({ plan, ends, refused, failed }: Collected): boolean {
  if (refused !== undefined || failed !== undefined) return true;
  return plan !== undefined && openedBy(plan).every((provider) => ends.has(provider));
}

function isSame(earlier: RememberedAnswer, { ends }: Collected, plan: Plan): boolean {
  if (planKey(plan) !== earlier.plan) return false;
  return openedBy(plan).every((provider) => {
    const content = ends.get(provider)?.content;
    return content !== undefined && "unchanged" in content && content.unchanged;
  });
}

/** @returns undefined: it is not whole, its rows are not all here, or a provider does not say what it read */
function rememberedOf(queryId: string, collected: Collected, nowMs: number): RememberedAnswer | undefined {
  const { plan, ends, trail } = collected;
  if (plan === undefined) return undefined;
  const isHere = answeringChains(plan).every(({ id }) => {
    const content = ends.get(id)?.content;
    return content !== undefined && "result" in content && content.result.table?.transfer === undefined;
  });
  const data = dataOf(plan, trail);
  if (!isHere || data === undefined) return undefined;
  return { queryId, answeredAtMs: nowMs, plan: planKey(plan), data, ends };
}
