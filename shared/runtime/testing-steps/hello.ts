/** An HTTP function; its answer takes as long as the path says, in milliseconds. */
import { defineHttpFunction } from "#runtime/define-http-function";

export default defineHttpFunction({
  name: "hello",
  start: async (environment) => {
    if (environment.refuse_start !== undefined) throw new Error("no sidecar");
    return {
      listener: (request, response) => {
        setTimeout(() => response.end("hello"), Number(request.url?.slice(1)));
      },
      close: async () => {
        process.stderr.write("closed after the last call\n");
      },
    };
  },
});
