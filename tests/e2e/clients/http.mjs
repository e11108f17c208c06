// Posts as Node's http module does, over an agent that keeps its connection: `node http.mjs URL`, then a line
// `FRAMING FILE` on standard input for each request. Prints `STATUS BODY` for each answer.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const headers = { "Content-Type": "application/json" };

for (const line of readFileSync(0, "utf8").trim().split("\n")) {
  const [framing, file] = line.split(" ");
  const body = readFileSync(file);
  const expected = framing === "expect" ? { Expect: "100-continue", "Content-Length": body.length } : {};
  const request = http.request(process.argv[2], {
    method: "POST",
    headers: { ...headers, ...expected },
    agent,
    timeout: 20_000,
  });
  const answered = once(request, "response");
  if (framing === "length") {
    request.end(body);
  } else if (framing === "chunked") {
    pipeline(Readable.from(pieces(body)), request).catch(() => {}); // an answer may come before its end
  } else {
    request.flushHeaders();
    request.on("continue", () => request.end(body));
  }
  const [response] = await answered;
  console.log(response.statusCode, await text(response));
  request.end();
}
agent.destroy();

function* pieces(body) {
  for (let start = 0; start < body.length; start += 65_536) yield body.subarray(start, start + 65_536);
}
