"""The scripts of a carrier: what is stored, claimed, acknowledged, handed back, counted and purged."""

from __future__ import annotations

from typing import Final

from streamkit.durable.redis.script import Script

__all__ = ["ACKNOWLEDGE", "APPEND", "CLAIM", "DEPTH", "FORGET", "HAND_BACK", "PURGE", "RENEW"]

APPEND: Final = Script("""
-- a writer, the number of its batch, how many partitions there are, and of each entry its delay, its
-- partition, how many fields it has, and these
local writer = key('writer:' .. ARGV[1])
if redis.call('GET', writer) == ARGV[2] then return 0 end

local function divide()  -- from now on there are partitions, and each group is one of theirs, too
    use(0)
    parts = tonumber(ARGV[3])
    redis.call('SET', key('parts'), parts)
    for _, each in ipairs(about('STREAM') and redis.call('XINFO', 'GROUPS', stream) or {}) do
        group = each[2]
        for part = 1, parts do
            use(part)
            joined()
        end
    end
end

local i, look = 4, false
while i <= #ARGV do
    local delay, part, fields = tonumber(ARGV[i]), tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
    if part > 0 then
        if parts == 0 then divide() end
        if parts ~= tonumber(ARGV[3]) then return redis.error_reply('PARTITIONS ' .. parts) end
    end
    if delay > 0 then
        local packed = {ARGV[1], ARGV[2], i .. ':' .. part, unpack(ARGV, i + 3, i + 2 + fields)}
        redis.call('ZADD', later, number(now + delay), cmsgpack.pack(packed))
    else
        use(part)
        redis.call('XADD', stream, '*', unpack(ARGV, i + 3, i + 2 + fields))
    end
    look = look or delay > 0 or part > 0
    i = i + 3 + fields
end
redis.call('SET', writer, ARGV[2], 'EX', 3600)
if look then wake_readers() end
return 1
""")

CLAIM: Final = Script("""
-- arguments: the group, the most messages, the milliseconds of the lease, the reader, the first partition
local most, mark, me, trimmed = tonumber(ARGV[2]), now + tonumber(ARGV[3]), ARGV[4], 0
local owners = key('owners:' .. group)
for part = 0, parts do
    use(part)
    trimmed = trimmed + joined()
end
local ripe = redis.call('ZRANGEBYSCORE', later, '-inf', now, 'LIMIT', 0, 1000)
for _, packed in ipairs(ripe) do
    local entry = cmsgpack.unpack(packed)
    use(tonumber(string.match(entry[3], ':(%d+)$')))
    redis.call('XADD', stream, '*', unpack(entry, 4))
end
if #ripe > 0 then redis.call('ZREM', later, unpack(ripe)) end

local function others(part)  -- whether somebody else has a lease in a partition
    return part > 0 and redis.call('HGET', owners, part) ~= me
        and redis.call('ZCOUNT', leases, '(' .. number(now), '+inf') > 0
end

local function due(part, left)  -- what was handed back, or whose lease has ended
    local ids, ended, limit = {}, {}, part == 0 and left or -1
    for _, set in ipairs({back, leases}) do
        local most_of = limit < 0 and -1 or left - #ids
        for _, id in ipairs(redis.call('ZRANGEBYSCORE', set, '-inf', now, 'LIMIT', 0, most_of)) do
            ids[#ids + 1], ended[id] = id, set == leases
        end
    end
    if part > 0 then  -- in order, whatever ended first
        table.sort(ids, before)
        for i = #ids, left + 1, -1 do
            if ended[ids[i]] then  -- who had one has lost all: one behind must not be done before the first
                redis.call('ZREM', leases, ids[i])
                put(back, {ids[i]}, now)
            end
            ids[i] = nil
        end
    end
    return ids
end

local function again(ids, taken)  -- hand out `ids` once more
    local found, times, there = {}, {}, {}
    if #ids == 0 then return found, times end
    for _, entry in ipairs(redis.call('XCLAIM', stream, group, 'streamkit', 0, unpack(ids))) do
        found[#found + 1], taken[#taken + 1] = entry, entry[1]
        times[#times + 1] = redis.call('XPENDING', stream, group, entry[1], entry[1], 1)[1][4]
        there[entry[1]] = true
    end
    for _, id in ipairs(ids) do
        if not there[id] and #redis.call('XRANGE', stream, id, id) == 0 then trimmed = trimmed + 1 end
    end
    redis.call('ZREM', back, unpack(ids))
    redis.call('ZREM', leases, unpack(ids))
    return found, times
end

local function missed()  -- there is no more: what was added and is not here was deleted by others
    local added = about('STREAM')['entries-added']
    local missing = added - (redis.call('HGET', handed, group) or added)
    if missing > 0 then
        trimmed = trimmed + missing
        redis.call('HSET', handed, group, added)
    end
end

local function new(left, taken)  -- what the group was not handed out so far
    local fresh, flat = {}, {}
    local got = redis.call('XREADGROUP', 'GROUP', group, 'streamkit', 'COUNT', left, 'STREAMS', stream, '>')
    if got then
        fresh = got[1][2]
        local plain = true  -- then it costs less to send, and to read
        for i, entry in ipairs(fresh) do
            taken[#taken + 1] = entry[1]
            flat[2 * i - 1], flat[2 * i] = entry[1], entry[2][2]
            plain = plain and #entry[2] == 2
        end
        redis.call('HINCRBY', handed, group, #fresh)
        if #fresh < left then missed() end
        if plain then fresh = {} else flat = {} end
    else
        missed()
    end
    return fresh, flat
end

local found, count = {}, 0
for turn = 0, parts do
    local part = (tonumber(ARGV[5]) + turn) % (parts + 1)
    use(part)
    if count < most and not others(part) then
        local taken, fresh, flat = {}, {}, {}
        local old, times = again(due(part, most - count), taken)
        if count + #taken < most then fresh, flat = new(most - count - #taken, taken) end
        if #taken > 0 then
            put(leases, taken, mark)
            if part > 0 then redis.call('HSET', owners, part, me) end
            count = count + #taken
            found[#found + 1] = {part, old, times, fresh, flat}
        end
    end
end
if count > 0 then return {trimmed, number(mark), found} end

local soon = 3600000
local function look(set, which)
    local one = redis.call('ZRANGE', set, which, which, 'WITHSCORES')
    if one[2] then soon = math.min(soon, one[2] - now) end
end
look(later, 0)
for part = 0, parts do
    use(part)
    if others(part) then
        look(leases, -1)
    else
        look(back, 0)
        look(leases, 0)
    end
end
use(0)
local last = redis.call('XREVRANGE', wake, '+', '-', 'COUNT', 1)
return {trimmed, number(soon), about('STREAM')['last-generated-id'], last[1] and last[1][1] or '0-0'}
""")

ACKNOWLEDGE: Final = Script("""
-- a group, and of each message its partition, identifier and mark; what all groups have done is deleted
local free = false
local lost = held(2, function(mine, part)
    redis.call('ZREM', leases, unpack(mine))
    redis.call('XACK', stream, group, unpack(mine))
    if part > 0 and redis.call('ZCARD', leases) == 0 then  -- others may have what is left of it
        local mine = about('GROUPS', group)
        local more = mine and about('STREAM')['last-generated-id'] ~= mine['last-delivered-id']
        free = free or more or redis.call('ZCARD', back) > 0
    end
    drop(mine)
end)
if free then wake_readers() end
return lost
""")

HAND_BACK: Final = Script("""
-- a group, milliseconds, whether this time counts, and of each message its partition, identifier and mark
local lost = held(4, function(mine)
    redis.call('ZREM', leases, unpack(mine))
    put(back, mine, now + tonumber(ARGV[2]))
    if ARGV[3] == '0' then
        for _, id in ipairs(mine) do
            local open = redis.call('XPENDING', stream, group, id, id, 1)[1]
            if open then
                redis.call('XCLAIM', stream, group, 'streamkit', 0, id, 'RETRYCOUNT', open[4] - 1, 'JUSTID')
            end
        end
    end
end)
wake_readers()
return lost
""")

RENEW: Final = Script("""
-- a group, milliseconds, and of each message its partition, its identifier and its mark
local mark = now + tonumber(ARGV[2])
local lost = held(3, function(mine) put(leases, mine, mark) end)
return {number(mark), lost}
""")

DEPTH: Final = Script("""
local waiting, claimed = redis.call('ZCARD', later), 0
for part = 0, parts do
    use(part)
    local found = about('GROUPS', group)
    if not found then
        waiting = waiting + redis.call('XLEN', stream)
    else
        local ended = redis.call('ZCOUNT', leases, '-inf', now)
        local fresh = found['lag']
        if not fresh then  -- others have deleted entries: at most what was added and not handed out
            fresh = about('STREAM')['entries-added'] - redis.call('HGET', handed, group)
        end
        waiting = waiting + fresh + ended + redis.call('ZCARD', back)
        claimed = claimed + redis.call('ZCARD', leases) - ended
    end
end
return {waiting, claimed}
""")

PURGE: Final = Script("""
local count = redis.call('ZCARD', later)
redis.call('DEL', later)
for part = 0, parts do
    use(part)
    local found = about('STREAM')
    if found then
        count = count + found['length']
        redis.call('XTRIM', stream, 'MAXLEN', 0)
        for _, each in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
            group = each[2]
            use(part)
            redis.call('XGROUP', 'DESTROY', stream, group)
            redis.call('XGROUP', 'CREATE', stream, group, '$', 'ENTRIESREAD', found['entries-added'])
            redis.call('DEL', leases, back)
            redis.call('HSET', handed, group, found['entries-added'])
        end
    end
end
return count
""")

FORGET: Final = Script("""
-- a group, a partition, and behind which entry of it to look for those that only the group has not done;
-- returns whether it was there, and where to go on
local part = tonumber(ARGV[2])
use(part)
local there = redis.pcall('XGROUP', 'DESTROY', stream, group) == 1
redis.call('DEL', leases, back, key('owners:' .. group))
redis.call('HDEL', handed, group)
local ids = {}
if #redis.pcall('XINFO', 'GROUPS', stream) > 0 then
    for i, entry in ipairs(redis.call('XRANGE', stream, ARGV[3], '+', 'COUNT', 1000)) do ids[i] = entry[1] end
    drop(ids)
end
if #ids == 1000 then return {there and 1 or 0, part, '(' .. ids[1000]} end
if part < parts then return {there and 1 or 0, part + 1, '-'} end
return {there and 1 or 0}
""")
