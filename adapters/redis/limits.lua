-- One atomic step of the limits ledger: a batch of operations, in order, each idempotent.
-- KEYS: 1 the marker of the generation in force.
-- ARGV: 1 the marker that the caller knows, 2 key prefix of its generation, 3 ms that ended records and idle counters are
--       kept, 4 the operations as JSON.
-- Counters and records of a transfer's earlier attempt are found through its record, so they are not among KEYS: the
-- ledger needs one primary (with replicas), not a cluster.
-- Amounts are decimal strings below 2^53, which a double holds exactly.

local marker = redis.call('GET', KEYS[1])
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if not marker or marker ~= ARGV[1] or string.sub(marker, 1, #run_id) ~= run_id then
  return redis.error_reply('NOTHYDRATED the ledger is not that of this server run')
end

local prefix = ARGV[2]
local keep_ms = ARGV[3]
local EXACT = 9007199254740992
local operations = cjson.decode(ARGV[4])

local function text(number)
  return string.format('%.0f', number)
end

-- Adds to a counter (hash: used, open). It has a time to live, keep_ms, exactly while it has no open reservations.
local function count(bucket, used, open)
  local key = prefix .. 'c:' .. bucket
  redis.call('HINCRBY', key, 'used', used)
  local still_open = redis.call('HINCRBY', key, 'open', open)
  if still_open <= 0 then
    redis.call('PEXPIRE', key, keep_ms)
  elseif still_open <= open then
    redis.call('PERSIST', key)
  end
end

-- `fresh`, if given, holds the names of counters that do not exist: those are made by one call.
local function reserve_all(uses, fresh)
  for _, use in ipairs(uses) do
    if fresh and fresh[use.b] then
      fresh[use.b] = nil
      redis.call('HSET', prefix .. 'c:' .. use.b, 'used', use.m, 'open', 1)
    else
      count(use.b, use.m, 1)
    end
  end
end

local function free_all(uses)
  for _, use in ipairs(uses) do count(use.b, '-' .. use.m, -1) end
end

local function load(key)
  local fields = redis.call('HMGET', key, 'state', 'attempt', 'uses', 'outcome')
  if not fields[1] then return nil end
  return { state = fields[1], attempt = tonumber(fields[2]), uses = cjson.decode(fields[3]), outcome = fields[4] }
end

-- A record becomes open only when it is new or was open before: then it has no time to live yet.
local function save(key, state, attempt, uses, outcome)
  redis.call('HSET', key, 'state', state, 'attempt', attempt, 'uses', cjson.encode(uses), 'outcome', outcome or '')
  if state ~= 'open' then redis.call('PEXPIRE', key, keep_ms) end
end

-- What reserve answers and stores. What the uses state is text already: it is only passed on.
local function told(kind, used, refused, stated)
  local head = '{"k":"' .. kind .. '","used":' .. cjson.encode(used)
  if refused then head = head .. ',"refused":' .. cjson.encode(refused) end
  return head .. ',"uses":' .. stated .. '}'
end

local function reserve(operation)
  local key = prefix .. 't:' .. operation.t
  local known = load(key)
  if known then
    if known.state ~= 'open' and known.state ~= 'refused' then return '{"k":"ended"}' end
    if operation.a == known.attempt then return known.outcome end
    if operation.a < known.attempt then return '{"k":"superseded"}' end
    if known.state == 'refused' then return '{"k":"ended"}' end
    free_all(known.uses)
  end
  local refused, used, uses, fresh = {}, {}, {}, {}
  for at, request in ipairs(operation.r) do
    local counted = redis.call('HGET', prefix .. 'c:' .. request.b, 'used')
    fresh[request.b] = not counted
    used[at] = tonumber(counted or '0')
    local would_be = used[at] + tonumber(request.m)
    if (request.x and would_be > tonumber(request.l)) or would_be >= EXACT then refused[#refused + 1] = at end
    uses[at] = { b = request.b, m = request.m }
  end
  local stated = {}
  if #refused > 0 then
    for at in ipairs(operation.r) do stated[at] = text(used[at]) end
    local outcome = told('refused', stated, refused, operation.u)
    save(key, 'refused', operation.a, {}, outcome)
    return outcome
  end
  for at, request in ipairs(operation.r) do
    used[at] = used[at] + tonumber(request.m)
    stated[at] = text(used[at])
  end
  reserve_all(uses, fresh)
  local outcome = told('reserved', stated, nil, operation.u)
  save(key, 'open', operation.a, uses, outcome)
  return outcome
end

-- An end as the log states it. What the ledger does not know, it counts now.
local function settle(operation)
  local key = prefix .. 't:' .. operation.t
  local target = operation.s
  local known = load(key)
  if target == 'open' then
    if known then
      if known.state ~= 'open' or operation.a <= known.attempt then return false end
      -- The later attempt takes the place of the one before, as in reserve.
      free_all(known.uses)
    end
    reserve_all(operation.r)
    save(key, 'open', operation.a, operation.r, operation.o)
    return true
  end
  if known and known.state == target then return false end
  if target == 'released' then
    if known and known.state ~= 'open' then return false end
    if known then free_all(known.uses) end
    save(key, 'released', operation.a, {}, '')
    return true
  end
  -- committed or returned: the money moved, whatever the ledger thought.
  if known and known.state == 'returned' then return false end
  local counted = known and (known.state == 'committed' or (known.state == 'open' and known.attempt == operation.a))
  if known and known.state == 'open' then
    if counted then
      for _, use in ipairs(known.uses) do count(use.b, '0', -1) end
    else
      free_all(known.uses)
    end
  end
  local uses = counted and known.uses or operation.r
  if not counted then
    for _, use in ipairs(uses) do count(use.b, use.m, 0) end
  end
  if target == 'returned' then
    local freed = {}
    for _, use in ipairs(operation.r) do freed[use.b] = use.f end
    for _, use in ipairs(uses) do
      if freed[use.b] then count(use.b, '-' .. use.m, 0) end
    end
  end
  save(key, target, operation.a, uses, '')
  return true
end

local results = {}
for at, operation in ipairs(operations) do
  if operation.k == 'reserve' then
    results[at] = reserve(operation)
  else
    results[at] = settle(operation) and '{"k":"settled","c":true}' or '{"k":"settled","c":false}'
  end
end
return results
