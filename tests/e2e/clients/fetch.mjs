// Posts as Node's fetch does: `node fetch.mjs URL`, then a line `FRAMING FILE` on standard input for each request. Prints
// `STATUS BODY` for each answer.

import { readFileSync } from "node:fs";

for (const line of readFileSync(0, "utf8").trim().split("\n")) {
  const [framing, file] = line.split(" ");
  const body = readFileSync(file);
  const response = await fetch(process.argv[2], {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: framing === "chunked" ? new Blob([body]).stream() : body,
    duplex: "half",
    signal: AbortSignal.timeout(20_000),
  });
  console.log(response.status, await response.text());
}
