-- The requests of wrk: BENCH_WHAT is "write" or "load"; BENCH_FILE has the request bodies, one a line.
local requests, turn = {}, 0

function init()
  local headers = { ["Content-Type"] = "application/json" }
  for body in io.lines(os.getenv("BENCH_FILE")) do
    requests[#requests + 1] = wrk.format("POST", "/api/v1/" .. os.getenv("BENCH_WHAT"), headers, body)
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "refused": %d, "broken": %d, "p50": %.3f, "p99": %.3f, "worst": %.3f}\n',
    summary.requests, summary.duration / 1e6, e.status, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
