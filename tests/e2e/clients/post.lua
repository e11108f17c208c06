-- For wrk: posts one e-mail again and again, and prints what came of it as JSON.

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"

function init(arguments)
  wrk.body = io.open(arguments[1], "rb"):read("*a")
end

function done(summary)
  local errors = summary.errors
  print(string.format(
    '{"requests": %d, "status": %d, "connect": %d, "read": %d, "write": %d, "timeout": %d}',
    summary.requests, errors.status, errors.connect, errors.read, errors.write, errors.timeout
  ))
end
