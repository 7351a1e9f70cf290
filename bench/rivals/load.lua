-- For wrk. RIVALS_BODY: the request's body, "@" where the numbers go; RIVALS_IDS: a file of numbers;
-- RIVALS_COUNT: how many go into a request; RIVALS_HEADERS: "name: value" lines. Prints a line of JSON.
local ids, count = {}, 0
for line in io.lines(os.getenv("RIVALS_IDS")) do
  count = count + 1
  ids[count] = line
end
local function slurp(path)
  local file = assert(io.open(path))
  local text = file:read("*a")
  file:close()
  return text
end
local body = slurp(os.getenv("RIVALS_BODY"))
local at = body:find("@", 1, true)
local before, after = body:sub(1, at - 1), body:sub(at + 1)
local many = tonumber(os.getenv("RIVALS_COUNT"))
math.randomseed(tonumber(os.getenv("RIVALS_SEED")))
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Accept"] = "application/json"
for name, value in (os.getenv("RIVALS_HEADERS") or ""):gmatch("([^\n:]+): ([^\n]*)") do
  wrk.headers[name] = value
end

function request()
  if many == 1 then
    return wrk.format(nil, "/graphql", nil, before .. ids[math.random(count)] .. after)
  end
  local chosen = {}
  for place = 1, many do chosen[place] = ids[math.random(count)] end
  return wrk.format(nil, "/graphql", nil, before .. table.concat(chosen, '","') .. after)
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    'JSON{"requests":%d,"microseconds":%d,"bytes":%d,"p50_ms":%.3f,"p99_ms":%.3f,"errors":%d}\n',
    summary.requests, summary.duration, summary.bytes,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
