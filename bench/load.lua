-- For wrk. LOAD_BODY: a file, the request's body with "@" where the numbers go; LOAD_IDS: a file of
-- numbers; LOAD_COUNT: how many go into a request; LOAD_HEADERS: "name: value" lines; LOAD_SEED.
-- LOAD_CHECK=1: answers with errors in them count as errors, at some cost to this side.
-- Prints a line of JSON.
local ids, count = {}, 0
for line in io.lines(os.getenv("LOAD_IDS")) do
  count = count + 1
  ids[count] = line
end
local function slurp(path)
  local file = assert(io.open(path))
  local text = file:read("*a")
  file:close()
  return text
end
local body = slurp(os.getenv("LOAD_BODY"))
local at = body:find("@", 1, true)
local before, after = body:sub(1, at - 1), body:sub(at + 1)
local many = tonumber(os.getenv("LOAD_COUNT"))
math.randomseed(tonumber(os.getenv("LOAD_SEED")))
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Accept"] = "application/json"
for name, value in (os.getenv("LOAD_HEADERS") or ""):gmatch("([^\n:]+): ([^\n]*)") do
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

local thread
function setup(one)
  thread = one
end

-- An answer with errors may have status 200 or 294: a deadline that passed would look like speed.
bad = 0
if os.getenv("LOAD_CHECK") then
  function response(status, headers, content)
    if status ~= 200 or content:find('"errors"', 1, true) then
      bad = bad + 1
    end
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  local refused = os.getenv("LOAD_CHECK") and 0 or errors.status
  io.write(string.format(
    'JSON{"requests":%d,"microseconds":%d,"bytes":%d,"p50_ms":%.3f,"p99_ms":%.3f,"errors":%d}\n',
    summary.requests, summary.duration, summary.bytes,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    thread:get("bad") + refused + errors.connect + errors.read + errors.write + errors.timeout))
end
