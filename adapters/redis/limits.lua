-- One atomic step of the limits ledger: a batch of operations, in order, each idempotent.
-- KEYS: 1 the marker of the generation in force.
-- ARGV: 1 the marker that the caller knows, 2 key prefix of its generation, 3 ms that ended records and idle counters are
--       kept, 4 the operations as JSON. Times to live go by the clock of the server, whatever the caller's says: a caller that is
--       months ahead would have long counters forgotten. Read before the first write, which servers of 5 and later take in any
--       script, since they replicate what it did and not the script.
-- Counters and records of a transfer's earlier attempt are found through its record, so they are not among KEYS: the
-- ledger needs one primary (with replicas), not a cluster.
-- Amounts are decimal strings below 2^53, which a double holds exactly.
--
-- c:<rule>:<subject>:<window>  a counter, of a window or of one step of a rolling window: used, open, and m:<member> = how
--                              many transfers count for it, where used is the number of members
-- w:<rule>:<subject>:<length>. the sum over the steps of a rolling window, made from its counters: lo and hi (the steps that
--                              it holds), sum, e, m:<member>, and s:<step> of each step that holds something
-- t:<transfer>                 a record: state, attempt, uses, outcome (what a reserve that comes again is answered, with a proof
--                              of a stage: whoever asked believes nothing else of a record)
-- A use: b the name of its counter, m minor units, d its member, e until when (ms since 1970) its counter matters; -1: for ever.

local marker = redis.call('GET', KEYS[1])
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if not marker or marker ~= ARGV[1] or string.sub(marker, 1, #run_id) ~= run_id then
  return redis.error_reply('NOTHYDRATED the ledger is not that of this server run')
end

local prefix = ARGV[2]
local keep_ms = tonumber(ARGV[3])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local EXACT = 9007199254740992
local operations = cjson.decode(ARGV[4])

local function text(number)
  return string.format('%.0f', number)
end

-- How long what matters until `e` is kept, as text; nil: for ever.
local function kept(e)
  if e == -1 then return nil end
  return text(math.max(keep_ms, e and e - now + keep_ms or 0))
end

local function expire(key, e)
  local ms = kept(e)
  if ms then redis.call('PEXPIRE', key, ms) else redis.call('PERSIST', key) end
end

-- Name below w:, head of the names of its steps, number of steps, and the step of a counter; nil: it is not of a rolling window.
local function rolling(b)
  local base, kind, steps, at = string.match(b, '^(.*):(r%d+x(%d+)%.)(%d+)$')
  if not base then return nil end
  return prefix .. 'w:' .. base .. ':' .. kind, prefix .. 'c:' .. base .. ':' .. kind, tonumber(steps), tonumber(at)
end

-- Members of a counter with how many transfers count for each.
local function members_of(key)
  local fields, found = redis.call('HGETALL', key), {}
  for i = 1, #fields, 2 do
    local times = string.sub(fields[i], 1, 2) == 'm:' and tonumber(fields[i + 1]) or 0
    if times > 0 then found[fields[i]] = times end
  end
  return found
end

local function is_member(key, member)
  return tonumber(redis.call('HGET', key, member) or '0') > 0
end

local function sum_load(w)
  local fields = redis.call('HMGET', w, 'lo', 'hi', 'sum', 'e')
  if not fields[1] then return nil end
  return { lo = tonumber(fields[1]), hi = tonumber(fields[2]), sum = tonumber(fields[3]), e = tonumber(fields[4]) }
end

local function sum_save(w, win)
  redis.call('HSET', w, 'lo', win.lo, 'hi', win.hi, 'sum', text(win.sum), 'e', text(win.e))
end

-- The steps that hold something, in order, and how much.
local function steps_of(w)
  local fields, steps, held = redis.call('HGETALL', w), {}, {}
  for i = 1, #fields, 2 do
    local step = string.sub(fields[i], 1, 2) == 's:' and tonumber(string.sub(fields[i], 3))
    if step then
      steps[#steps + 1] = step
      held[step] = tonumber(fields[i + 1])
    end
  end
  table.sort(steps)
  return steps, held
end

-- Lets go of the steps before `lo`.
local function advance(w, head, win, lo, has_members)
  if lo <= win.lo then return false end
  if lo > win.hi then
    win.sum, win.hi = 0, lo
    redis.call('UNLINK', w)
  else
    local steps, held = steps_of(w)
    for _, at in ipairs(steps) do
      if at >= lo then break end
      redis.call('HDEL', w, 's:' .. at)
      if has_members then
        for member, times in pairs(members_of(head .. at)) do
          if redis.call('HINCRBY', w, member, -times) <= 0 then
            redis.call('HDEL', w, member)
            win.sum = win.sum - 1
          end
        end
      else
        win.sum = win.sum - held[at]
      end
    end
  end
  win.lo = lo
  return true
end

-- Adds a use to the sum of its rolling window, `times` 1 or -1.
local function sum_add(use, times)
  local w, head, steps, at = rolling(use.b)
  if not w then return end
  local win = sum_load(w)
  if not win then
    if times < 0 then return end
    win = { lo = at - steps, hi = at, sum = 0, e = 0 }
  end
  if at > win.hi then
    win.hi = at
    advance(w, head, win, at - steps, use.d ~= nil)
  end
  if at >= win.lo then
    if use.d then
      local count = redis.call('HINCRBY', w, 'm:' .. use.d, times)
      if count == 0 then redis.call('HDEL', w, 'm:' .. use.d) end
      if (times == 1 and count == 1) or (times == -1 and count == 0) then win.sum = win.sum + times end
    else
      win.sum = win.sum + times * tonumber(use.m)
    end
    local held = redis.call('HINCRBY', w, 's:' .. at, use.d and times or times * tonumber(use.m))
    if held == 0 then redis.call('HDEL', w, 's:' .. at) end
  end
  local longer = use.e and use.e > win.e
  if longer then win.e = use.e end
  sum_save(w, win)
  if longer then expire(w, win.e) end
end

-- Counts a use `times` 1, 0 or -1, and `open` reservations more. A counter (hash: used, open) has a time to live exactly
-- while it has no open reservations.
local function count(use, times, open)
  local key = prefix .. 'c:' .. use.b
  local used = '0'
  if use.d then
    if times ~= 0 then
      local of_member = redis.call('HINCRBY', key, 'm:' .. use.d, times)
      if of_member == 0 then redis.call('HDEL', key, 'm:' .. use.d) end
      if (times == 1 and of_member == 1) or (times == -1 and of_member == 0) then used = tostring(times) end
    end
  elseif times ~= 0 and use.m ~= '0' then
    used = times == 1 and use.m or '-' .. use.m
  end
  redis.call('HINCRBY', key, 'used', used)
  local still_open = redis.call('HINCRBY', key, 'open', open)
  if still_open <= 0 then
    expire(key, use.e)
  elseif still_open <= open then
    redis.call('PERSIST', key)
  end
  if times ~= 0 then sum_add(use, times) end
end

local function reserve_all(uses)
  for _, use in ipairs(uses) do count(use, 1, 1) end
end

local function free_all(uses)
  for _, use in ipairs(uses) do count(use, -1, -1) end
end

local STATES = { open = true, refused = true, released = true, committed = true, returned = true }
-- A record was met that no stage has written.
local damaged = false

local function is_list_of_uses(uses)
  if type(uses) ~= 'table' then return false end
  for _, use in pairs(uses) do
    if type(use) ~= 'table' or type(use.b) ~= 'string' or type(use.m) ~= 'string' or not tonumber(use.m) then return false end
  end
  return true
end

local function load(key)
  local fields = redis.call('HMGET', key, 'state', 'attempt', 'uses', 'outcome')
  if not fields[1] then
    if redis.call('EXISTS', key) == 1 then damaged = true end
    return nil
  end
  local is_read, uses = pcall(cjson.decode, fields[3] or '')
  local attempt = tonumber(fields[2] or '')
  if not STATES[fields[1]] or not attempt or not is_read or not is_list_of_uses(uses) or not fields[4] then
    damaged = true
    return nil
  end
  return { state = fields[1], attempt = attempt, uses = uses, outcome = fields[4] }
end

-- A record becomes open only when it is new or was open before: then it has no time to live yet.
local function save(key, state, attempt, uses, outcome)
  redis.call('HSET', key, 'state', state, 'attempt', attempt, 'uses', cjson.encode(uses), 'outcome', outcome)
  if state == 'open' then return end
  -- It is known for as long as anything that it counts in: what comes back later is taken out there.
  local e = 0
  for _, use in ipairs(uses) do
    if use.e == -1 then e = -1 end
    if e ~= -1 and use.e and use.e > e then e = use.e end
  end
  expire(key, e)
end

-- What reserve answers and stores. What the uses state is text already: it is only passed on.
local function told(kind, used, refused, frees, operation)
  local proof = operation.p[kind == 'reserved' and 1 or 2]
  local head = '{"k":"' .. kind .. '","a":' .. text(operation.a) .. ',"p":"' .. proof .. '","used":' .. cjson.encode(used)
  if operation.n then head = head .. ',"n":' .. cjson.encode(operation.n) end
  if refused then head = head .. ',"refused":' .. cjson.encode(refused) .. ',"frees":' .. cjson.encode(frees) end
  return head .. ',"uses":' .. operation.u .. '}'
end

-- What a rolling window holds for a request, and what its own use would add. It counts the steps from the first of its
-- length on; those after its own too, since a window that begins with it ends there.
local function rolled(request)
  local w, head, steps, at = rolling(request.b)
  local win = sum_load(w)
  local member = request.d and 'm:' .. request.d
  if not win then return 0, member and 1 or tonumber(request.m) end
  local first = at - steps
  if advance(w, head, win, first, member ~= nil) then
    sum_save(w, win)
    expire(w, win.e)
  end
  -- It comes late: steps that were let go are read again; the whole window, if it comes very late.
  local very_late = win.lo - first > steps
  local used = very_late and 0 or win.sum
  local known = {}
  for step = first, very_late and first + 2 * steps or win.lo - 1 do
    if member then
      for each in pairs(members_of(head .. step)) do
        local counted = known[each] or (not very_late and is_member(w, each))
        if not counted then used = used + 1 end
        known[each] = true
      end
    else
      used = used + tonumber(redis.call('HGET', head .. step, 'used') or '0')
    end
  end
  if not member then return used, tonumber(request.m) end
  local present = known[member] or (not very_late and is_member(w, member))
  return used, present and 0 or 1
end

-- The step of a rolling window with which enough is free again; 0: that cannot be told so.
local function freeing_step(request, used)
  local w, head, steps, at = rolling(request.b or '')
  if not w or request.d or tonumber(request.m) > tonumber(request.l) then return 0 end
  local over = used + tonumber(request.m) - tonumber(request.l)
  local win = sum_load(w)
  if win and win.lo <= at - steps then
    local all, held = steps_of(w)
    for _, step in ipairs(all) do
      over = over - held[step]
      if over <= 0 then return step end
    end
    return 0
  end
  for step = at - steps, at + steps do
    over = over - tonumber(redis.call('HGET', head .. step, 'used') or '0')
    if over <= 0 then return step end
  end
  return 0
end

-- How a request stands: what is used, what its own use adds, the open reservations of its counter (nil: unknown), and
-- whether the counter exists.
local function standing(request)
  if not request.b then return 0, tonumber(request.m) end
  if rolling(request.b) then return rolled(request) end
  local key = prefix .. 'c:' .. request.b
  if request.d then
    local fields = redis.call('HMGET', key, 'used', 'm:' .. request.d)
    return tonumber(fields[1] or '0'), tonumber(fields[2] or '0') > 0 and 0 or 1
  end
  local fields = redis.call('HMGET', key, 'used', 'open')
  return tonumber(fields[1] or '0'), tonumber(request.m), tonumber(fields[2] or '0'), fields[1] ~= false
end

local function reserve(operation)
  local key = prefix .. 't:' .. operation.t
  local known = load(key)
  if damaged then return nil end
  if known then
    if known.state ~= 'open' and known.state ~= 'refused' then return known.outcome end
    if operation.a == known.attempt then return known.outcome end
    if operation.a < known.attempt then return '{"k":"superseded","o":' .. known.outcome .. '}' end
    if known.state == 'refused' then return '{"k":"ended","o":' .. known.outcome .. '}' end
    free_all(known.uses)
  end
  local refused, frees, used, after, open, exists, uses = {}, {}, {}, {}, {}, {}, {}
  for at, request in ipairs(operation.r) do
    local adds
    used[at], adds, open[at], exists[at] = standing(request)
    after[at] = used[at] + adds
    local stands_against = (request.x == 'r' and after[at] > tonumber(request.l)) or (request.x ~= 's' and after[at] >= EXACT)
    if stands_against then refused[#refused + 1] = at end
  end
  local stated = {}
  if #refused > 0 then
    for at, request in ipairs(operation.r) do stated[at] = text(used[at]) end
    for at, place in ipairs(refused) do frees[at] = freeing_step(operation.r[place], used[place]) end
    local outcome = told('refused', stated, refused, frees, operation)
    save(key, 'refused', operation.a, {}, outcome)
    return outcome
  end
  for at, request in ipairs(operation.r) do
    stated[at] = text(after[at])
    if request.b then
      local use = { b = request.b, m = request.m, d = request.d, e = request.e }
      uses[#uses + 1] = use
      if open[at] then
        -- Read just now: one call instead of two. It has a time to live only if it is there and nothing of it is open.
        local counter = prefix .. 'c:' .. request.b
        redis.call('HSET', counter, 'used', stated[at], 'open', text(open[at] + 1))
        if open[at] <= 0 and exists[at] then redis.call('PERSIST', counter) end
      else
        count(use, 1, 1)
      end
    end
  end
  local outcome = told('reserved', stated, nil, nil, operation)
  save(key, 'open', operation.a, uses, outcome)
  return outcome
end

-- An end as the log states it. What the ledger does not know, it counts now.
local function settle(operation)
  local key = prefix .. 't:' .. operation.t
  local target = operation.s
  local known = load(key)
  if damaged then return false end
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
    save(key, 'released', operation.a, {}, operation.o)
    return true
  end
  -- committed or returned: the money moved, whatever the ledger thought.
  if known and known.state == 'returned' then return false end
  local counted = known and (known.state == 'committed' or (known.state == 'open' and known.attempt == operation.a))
  if known and known.state == 'open' then
    if counted then
      for _, use in ipairs(known.uses) do count(use, 0, -1) end
    else
      free_all(known.uses)
    end
  end
  local uses = counted and known.uses or operation.r
  if not counted then
    for _, use in ipairs(uses) do count(use, 1, 0) end
  end
  if target == 'returned' then
    local freed = {}
    for _, use in ipairs(operation.r) do freed[use.b] = use.f end
    for _, use in ipairs(uses) do
      if freed[use.b] then count(use, -1, 0) end
    end
  end
  save(key, target, operation.a, uses, operation.o)
  return true
end

local results = {}
for at, operation in ipairs(operations) do
  if operation.k == 'reserve' then
    results[at] = reserve(operation)
  else
    results[at] = settle(operation) and '{"k":"settled","c":true}' or '{"k":"settled","c":false}'
  end
  -- What was done before stays: whoever asked puts this ledger out of force.
  if damaged then return redis.error_reply('DAMAGED a record is not as a stage writes it') end
end
return results
