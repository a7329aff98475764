/** Of k6 too, and missing in its types: the browser's would bring `fetch` and others that k6 has not. */
declare const console: {
  log(...what: unknown[]): void;
  warn(...what: unknown[]): void;
  error(...what: unknown[]): void;
};
