import { describe, expect, it } from "vitest";
import { limits } from "#domain/limits";
import { queueSettings } from "./queue-settings.ts";

describe("the settings of queues", () => {
  it("are classic queues with the limits of the system, where the environment says nothing", () => {
    const queueLimits = { messagesMax: limits.queueMessagesMax, bytesMax: limits.queueBytesMax };
    expect(queueSettings({})).toEqual({ queueType: "classic", queueLimits });
    expect(queueSettings({ DYNAMOS_QUEUE_TYPE: "", DYNAMOS_QUEUE_MESSAGES_MAX: "" })).toEqual({
      queueType: "classic",
      queueLimits,
    });
  });

  it("are what the environment says", () => {
    const environment = {
      DYNAMOS_QUEUE_TYPE: "quorum",
      DYNAMOS_QUEUE_MESSAGES_MAX: "12",
      DYNAMOS_QUEUE_BYTES_MAX: "34567",
    };
    expect(queueSettings(environment)).toEqual({
      queueType: "quorum",
      queueLimits: { messagesMax: 12, bytesMax: 34_567 },
    });
  });

  it("have the type of the flag before that of the environment", () => {
    expect(queueSettings({ DYNAMOS_QUEUE_TYPE: "classic" }, "quorum").queueType).toBe("quorum");
    expect(() => queueSettings({}, "mirrored")).toThrow("--queue-type mirrored: must be");
    expect(() => queueSettings({}, "")).toThrow("--queue-type : must be");
  });

  it.each([
    ["DYNAMOS_QUEUE_TYPE", "mirrored"],
    ["DYNAMOS_QUEUE_MESSAGES_MAX", "0"],
    ["DYNAMOS_QUEUE_MESSAGES_MAX", "-1"],
    ["DYNAMOS_QUEUE_MESSAGES_MAX", "1e3"],
    ["DYNAMOS_QUEUE_BYTES_MAX", "ten"],
    ["DYNAMOS_QUEUE_BYTES_MAX", "99999999999999999999"],
  ])("stop the start where %s is %s, and name it", (name, value) => {
    expect(() => queueSettings({ [name]: value })).toThrow(`${name} ${value}: must be`);
  });
});
