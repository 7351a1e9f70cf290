-- For wrk. BENCH_BEFORE and BENCH_AFTER: the body around a number; BENCH_IDS: a file of numbers;
-- BENCH_TOKEN, BENCH_PURPOSE, BENCH_CASE_NUMBER. Prints one line of JSON.
local ids, count = {}, 0
for line in io.lines(os.getenv("BENCH_IDS")) do
  count = count + 1
  ids[count] = line
end
local function slurp(path)
  local file = assert(io.open(path))
  local text = file:read("*a")
  file:close()
  return text
end
local before, after = slurp(os.getenv("BENCH_BEFORE")), slurp(os.getenv("BENCH_AFTER"))
math.randomseed(7)
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Accept"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("BENCH_TOKEN")
wrk.headers["X-Purpose"] = os.getenv("BENCH_PURPOSE")
wrk.headers["X-Case-Number"] = os.getenv("BENCH_CASE_NUMBER")

function request()
  return wrk.format(nil, "/graphql", nil, before .. ids[math.random(count)] .. after)
end

local thread
function setup(one)
  thread = one
end

-- An answer with errors has status 200: a deadline that passed would look like speed.
bad = 0
function response(status, headers, body)
  if status ~= 200 or body:find('"errors"', 1, true) then
    bad = bad + 1
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    'JSON{"requests":%d,"microseconds":%d,"bytes":%d,"p50_ms":%.3f,"p99_ms":%.3f,"errors":%d}\n',
    summary.requests, summary.duration, summary.bytes,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    thread:get("bad") + errors.connect + errors.read + errors.write + errors.timeout))
end
