/** One stream of etcd's watch, for as long as its connection holds. */
import { limits } from "#domain/limits";
import type { EtcdClient } from "./client.ts";
import type { KeyValue } from "./key-values.ts";
import { EtcdRefusal } from "./refusal.ts";
import type { Header } from "./same-store.ts";

export interface WatchEvent {
  /** Absent: a put. */
  readonly type?: "DELETE";
  readonly kv: KeyValue;
}

export interface WatchStream {
  /** Resolves when it brings nothing more, with the reason. */
  readonly ended: Promise<unknown>;
  close(): void;
}

interface WatchMessage {
  readonly header?: Header;
  readonly created?: boolean;
  readonly canceled?: boolean;
  readonly cancel_reason?: string;
  readonly compact_revision?: string;
  readonly events?: readonly WatchEvent[];
}

/**
 * Resolves when etcd watches.
 * @param onEvents those of one revision come together
 * @throws EtcdRefusal when it does not in time; `compacted`: the changes from there on are forgotten
 */
export function openWatchStream(
  client: EtcdClient,
  request: object,
  signal: AbortSignal,
  onEvents: (events: readonly WatchEvent[]) => void,
): Promise<WatchStream> {
  const own = new AbortController();
  const close = () => own.abort();
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      reject(new EtcdRefusal("endpoint", "etcd does not begin to watch in time"));
      close();
    }, limits.etcdTryMsMax);
    const onMessage = (result: unknown) => {
      const message = result as WatchMessage;
      client.store.saw(message.header ?? {});
      if (message.canceled === true) throw cancelled(message);
      if (message.created === true) {
        clearTimeout(late);
        // That changes are forgotten is said after this, in a message of its own, and ends the stream.
        resolve({ ended, close });
      }
      if (!own.signal.aborted && message.events !== undefined) onEvents(message.events);
    };
    const body = { create_request: request };
    const ended: Promise<unknown> = client
      .stream("/v3/watch", body, AbortSignal.any([signal, own.signal]), onMessage)
      .catch((error: unknown) => {
        clearTimeout(late);
        reject(error);
        return error;
      });
  });
}

function cancelled({ compact_revision: compacted, cancel_reason: reason = "" }: WatchMessage): EtcdRefusal {
  if (Number(compacted ?? 0) > 0) return new EtcdRefusal("compacted", "these changes are forgotten: list again");
  if (/permission denied/i.test(reason)) return new EtcdRefusal("forbidden", "its etcd user may not watch this");
  return new EtcdRefusal("endpoint", "etcd has ended the watch", { cause: new Error(reason.slice(0, 500)) });
}
