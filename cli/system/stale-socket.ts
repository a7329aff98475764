import { rm } from "node:fs/promises";
import { connect } from "node:net";

/**
 * Removes the socket file of a process that was killed: it would keep the next one from listening.
 * One that somebody listens on stays, as does every other address.
 */
export async function removeStaleSocket(address: string): Promise<void> {
  const path = /^unix:\/\/(\/.+)$/.exec(address)?.[1];
  if (path !== undefined && (await isRefused(path))) await rm(path, { force: true });
}

function isRefused(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED"));
  });
}
