import { describe, expect, it } from "vitest";
import { brokerUrls } from "./addresses.ts";

describe("the URLs of a broker", () => {
  it("are one, whatever it is: who connects says what is wrong with it", () => {
    expect(brokerUrls("amqp://u:p@a:1/v")).toEqual(["amqp://u:p@a:1/v"]);
    expect(brokerUrls("nonsense")).toEqual(["nonsense"]);
  });

  it("are those of a cluster's nodes, in their order", () => {
    expect(brokerUrls("amqp://u:p@a:1/v, amqp://u:p@b:2/v,amqp://u:p@c:3/v")).toEqual([
      "amqp://u:p@a:1/v",
      "amqp://u:p@b:2/v",
      "amqp://u:p@c:3/v",
    ]);
  });

  it("may have commas in their password", () => {
    expect(brokerUrls("amqp://u:p,q@a:1,amqp://u:p,q@b:2")).toEqual(["amqp://u:p,q@a:1", "amqp://u:p,q@b:2"]);
  });

  it.each([
    ["users", "amqp://u:p@a,amqp://w:p@b", "the same user"],
    ["passwords", "amqp://u:secret@a,amqp://u:other@b", "the same password"],
    ["vhosts", "amqp://u:p@a/v,amqp://u:p@b/w", "the same vhost"],
    ["schemes", "amqp://u:p@a,amqps://u:p@b", "the same amqp:// or amqps://"],
    ["forms", "amqp://u:p@a,amqp://u:p@b:port", "number 2 is not amqp(s)://"],
    ["too many", Array.from({ length: 17 }, () => "amqp://u:p@a").join(), "1 to 16"],
  ])("are refused with different %s, without telling a secret", (_, text, sentence) => {
    expect(() => brokerUrls(text)).toThrow(sentence);
    expect(() => brokerUrls(text)).not.toThrow(/secret|other/);
  });
});
