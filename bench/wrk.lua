-- What wrk posts, and how it prints what it found: one line of JSON, as paced.py does, times in microseconds.
-- wrk -s wrk.lua URL -- FILE: the body is read from FILE.

function init(args)
  local file = assert(io.open(args[1], "rb"))
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  wrk.body = file:read("*a")
  file:close()
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\n{"answers": %d, "refused": %d, "microseconds": %d, "p50": %d, "p99": %d, "failures": %d,' ..
    ' "refused_p99": 0, "late_p99": 0}\n',
    summary.requests, errors.status, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.timeout))
end
