-- For wrk. LOAD_BODY: a file, the request's body with "@" where the numbers go; LOAD_COUNT: how many
-- go into a request; several of both, a line each: every request takes one of them at random.
-- LOAD_IDS: a file of numbers, taken at random (LOAD_SEED), or with LOAD_START one after the other
-- from there on, and round again. LOAD_HEADERS: "name: value" lines; several sets with an empty line
-- between: every request takes one of them at random.
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
local bodies = {}
local counts = os.getenv("LOAD_COUNT"):gmatch("%d+")
for path in os.getenv("LOAD_BODY"):gmatch("[^\n]+") do
  local body = slurp(path)
  local at = body:find("@", 1, true)
  table.insert(bodies, {
    before = body:sub(1, at - 1), after = body:sub(at + 1), many = tonumber(counts()),
  })
end
math.randomseed(tonumber(os.getenv("LOAD_SEED")))
wrk.method = "POST"
local header_sets = {}
for set in ((os.getenv("LOAD_HEADERS") or "") .. "\n\n"):gmatch("(.-)\n\n") do
  local headers = { ["Content-Type"] = "application/json", ["Accept"] = "application/json" }
  for name, value in set:gmatch("([^\n:]+): ([^\n]*)") do
    headers[name] = value
  end
  table.insert(header_sets, headers)
end

local next_id = tonumber(os.getenv("LOAD_START") or "")
local function pick()
  if not next_id then return ids[math.random(count)] end
  next_id = next_id + 1
  return ids[(next_id - 1) % count + 1]
end

local function choose(all)
  return #all == 1 and all[1] or all[math.random(#all)]
end

function request()
  local body, headers = choose(bodies), choose(header_sets)
  if body.many == 1 then
    return wrk.format(nil, "/graphql", headers, body.before .. pick() .. body.after)
  end
  local chosen = {}
  for place = 1, body.many do chosen[place] = pick() end
  local content = body.before .. table.concat(chosen, '","') .. body.after
  return wrk.format(nil, "/graphql", headers, content)
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
