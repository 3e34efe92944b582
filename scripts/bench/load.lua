-- For wrk: posts one body with the headers given after `--`, and prints one line of JSON at the end.
-- usage: wrk … -s load.lua URL -- BODYFILE ["name: value"]…

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  wrk.body = file:read("*a")
  file:close()
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  for at = 2, #arguments do
    local name, value = arguments[at]:match("^([^:]+):%s*(.*)$")
    wrk.headers[name] = value
  end
end

function done(summary, latency, _)
  local seen = summary.errors
  local failures = seen.status + seen.connect + seen.read + seen.write + seen.timeout
  io.write(string.format(
    '{"rate":%.1f,"p50":%d,"p99":%d,"failures":%d}\n',
    summary.requests / (summary.duration / 1e6), latency:percentile(50), latency:percentile(99), failures
  ))
end
