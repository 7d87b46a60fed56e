-- What wrk asks: BENCH_FILE holds whole requests, each after a line with its length. Every answer must hold
-- BENCH_HOLDS. With BENCH_KEEP the answers are kept in that file, a line each.
local requests, threads = {}, {}
local turn = 0
kept, wrong = {}, 0

function setup(thread)
  threads[#threads + 1] = thread
end

function init()
  local file = io.open(os.getenv("BENCH_FILE"), "rb")
  for length in function() return file:read("*n", "*l") end do
    requests[#requests + 1] = file:read(length)
  end
  file:close()
  holds, keep = os.getenv("BENCH_HOLDS"), os.getenv("BENCH_KEEP")
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function response(status, headers, body)
  if status < 400 and not body:find(holds, 1, true) then
    wrong = wrong + 1
  end
  if keep and status < 400 then
    kept[#kept + 1] = body:gsub("%s+", " ")
  end
end

function done(summary, latency)
  local e, thread = summary.errors, threads[1]
  if os.getenv("BENCH_KEEP") then
    local file = io.open(os.getenv("BENCH_KEEP"), "w")
    for _, body in ipairs(thread:get("kept")) do
      file:write(body, "\n")
    end
    file:close()
  end
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "refused": %d, "broken": %d, "p50": %.3f, "p99": %.3f, "worst": %.3f}\n',
    summary.requests, summary.duration / 1e6, e.status,
    e.connect + e.read + e.write + e.timeout + thread:get("wrong"),
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
