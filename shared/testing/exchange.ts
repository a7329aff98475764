import { connect } from "node:net";

/** Sends this to a port of the loopback and gives what comes back until the other side closes. */
export function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let got = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.on("data", (chunk) => {
      got += chunk;
    });
    socket.on("end", () => resolve(got));
    socket.on("error", reject);
  });
}
