-- What counters of the ledger in force hold: all of them at one moment. It only reads, so that a user of Redis who may do no
-- more can run it. The keys are those of limits.lua, and what a rolling window holds is reckoned as it does there.
-- KEYS: 1 the marker of the generation in force.
-- ARGV: 1 namespace; then for each counter its name below c:, and 'm' where members are counted, else ''.
-- Answers the marker, the rules that count less (JSON, or ''), how far it was filled if nobody has caught up (or ''), and for
-- each counter a list: used, open reservations, and of a rolling window without members each step with what it holds.

local marker = redis.call('GET', KEYS[1])
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if not marker or string.sub(marker, 1, #run_id + 1) ~= run_id .. ':' then
  return redis.error_reply('NOTHYDRATED the ledger is not that of this server run')
end
local prefix = ARGV[1] .. ':' .. string.sub(marker, #run_id + 2) .. ':'

local function text(number)
  return string.format('%.0f', number)
end

local function members_of(key)
  local fields, found = redis.call('HGETALL', key), {}
  for i = 1, #fields, 2 do
    if string.sub(fields[i], 1, 2) == 'm:' then found[fields[i]] = tonumber(fields[i + 1]) end
  end
  return found
end

-- The sum over steps that stands: where it begins, what each step holds, how many transfers count for each member.
local function sum_of(w)
  local fields, sum = redis.call('HGETALL', w), { held = {}, members = {} }
  for i = 1, #fields, 2 do
    local name, value = fields[i], tonumber(fields[i + 1])
    if name == 'lo' then sum.lo = value end
    if string.sub(name, 1, 2) == 's:' then sum.held[tonumber(string.sub(name, 3))] = value end
    if string.sub(name, 1, 2) == 'm:' then sum.members[name] = value end
  end
  return sum
end

-- The steps of a window that hold something: those of the sum, and step by step those that it has let go.
local function steps_in(sum, head, first, steps)
  local held = {}
  local very_late = sum.lo - first > steps
  if not very_late then
    for step, amount in pairs(sum.held) do
      if step >= first then held[step] = amount end
    end
  end
  for step = first, very_late and first + 2 * steps or sum.lo - 1 do
    local amount = tonumber(redis.call('HGET', head .. step, 'used') or '0')
    if amount ~= 0 then held[step] = amount end
  end
  return held, very_late
end

local function members_in(sum, head, first, held, very_late)
  local members = {}
  if not very_late then
    for member, times in pairs(sum.members) do members[member] = times end
    for step in pairs(sum.held) do
      if step < first then
        for member, times in pairs(members_of(head .. step)) do members[member] = (members[member] or 0) - times end
      end
    end
  end
  for step in pairs(held) do
    if very_late or step < sum.lo then
      for member, times in pairs(members_of(head .. step)) do members[member] = (members[member] or 0) + times end
    end
  end
  local different = 0
  for _, times in pairs(members) do
    if times > 0 then different = different + 1 end
  end
  return different
end

local function rolled(base, kind, steps, at, has_members)
  local head = prefix .. 'c:' .. base .. ':' .. kind
  local sum = sum_of(prefix .. 'w:' .. base .. ':' .. kind)
  if not sum.lo then return { '0', '0' } end
  local first = at - steps
  local held, very_late = steps_in(sum, head, first, steps)
  local order, used, open = {}, 0, 0
  for step, amount in pairs(held) do
    order[#order + 1] = step
    used = used + amount
    open = open + tonumber(redis.call('HGET', head .. step, 'open') or '0')
  end
  if has_members then return { text(members_in(sum, head, first, held, very_late)), text(open) } end
  table.sort(order)
  local answer = { text(used), text(open) }
  for _, step in ipairs(order) do
    answer[#answer + 1] = text(step)
    answer[#answer + 1] = text(held[step])
  end
  return answer
end

local function counted(name, has_members)
  local base, kind, steps, at = string.match(name, '^(.*):(r%d+x(%d+)%.)(%d+)$')
  if base then return rolled(base, kind, tonumber(steps), tonumber(at), has_members) end
  local fields = redis.call('HMGET', prefix .. 'c:' .. name, 'used', 'open')
  return { fields[1] or '0', fields[2] or '0' }
end

local notes = redis.call('MGET', prefix .. 'b:short', prefix .. 'b:catch-up')
local answer = { marker, notes[1] or '', notes[2] or '' }
for at = 2, #ARGV, 2 do
  answer[#answer + 1] = counted(ARGV[at], ARGV[at + 1] == 'm')
end
return answer
