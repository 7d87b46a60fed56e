-- What wrk asks: BENCH_WHAT is "write" or "load"; BENCH_FILE holds the request bodies, one a line.
-- With BENCH_SOURCES each body comes from so many sources, as a proxy tells it.
local requests, turn = {}, 0

function init()
  local headers = { ["Content-Type"] = "application/json" }
  local sources = tonumber(os.getenv("BENCH_SOURCES"))
  for body in io.lines(os.getenv("BENCH_FILE")) do
    for source = 1, math.max(sources, 1) do
      if sources > 0 then
        headers["X-Forwarded-For"] = string.format("10.0.%d.%d", math.floor(source / 256), source % 256)
      end
      requests[#requests + 1] = wrk.format("POST", "/api/v1/" .. os.getenv("BENCH_WHAT"), headers, body)
    end
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
