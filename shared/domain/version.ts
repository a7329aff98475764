/** Of the whole project: functions, sidecar and command have one version. Its home is package.json. */
export { version } from "../../package.json";
