"""What runs in the server, each at once or not at all: no reader sees half of it, nor a log that was cut.

Keys of a carrier named `inbox`, all in one slot of a cluster:

    inbox                   a stream: entries, with the fields body, key, headers
    {inbox}:later           those whose delay is not over, by the time when it is
    {inbox}:wake            a stream of one entry, which is another when readers should look again
    {inbox}:handed          how many entries each group was handed out, those that were trimmed included
    {inbox}:leases:GROUP    what is handed out and not acknowledged, by the time when its lease ends
    {inbox}:back:GROUP      what was handed back, by the time when it may be handed out again
    {inbox}:writer:ID       the last batch of a writer, so that one sent twice is stored once

The time is always that of the server: clocks of readers and writers may differ. The end of a lease, in
milliseconds, is also its mark: who claims an entry later has a later one.
"""

from __future__ import annotations

from hashlib import sha1
from typing import Final

__all__ = [
    "ACKNOWLEDGE",
    "APPEND",
    "CLAIM",
    "DEPTH",
    "FORGET",
    "GROUP",
    "HAND_BACK",
    "PURGE",
    "RENEW",
    "Script",
]


class Script:
    """A text, and what the server knows it by."""

    def __init__(self, text: str) -> None:
        self.text: str = _COMMON + text
        self.sha: str = sha1(self.text.encode(), usedforsecurity=False).hexdigest()


_COMMON: Final = """
local stream, group = KEYS[1], ARGV[1]
local function key(kind) return '{' .. stream .. '}:' .. kind end
local later, wake, handed = key('later'), key('wake'), key('handed')
local leases, back = key('leases:' .. group), key('back:' .. group)
local at = redis.call('TIME')
local now = at[1] * 1000 + math.floor(at[2] / 1000)

local function number(value) return string.format('%.0f', value) end
local function wake_readers() redis.call('XADD', wake, 'MAXLEN', 1, '*', 'again', '1') end

local function about(kind, name)  -- what XINFO says, by name; of one group, if it is named
    local said = redis.pcall('XINFO', kind, stream)
    if said.err then return nil end
    if name then
        for _, each in ipairs(said) do
            if each[2] == name then said = each break end
        end
        if said[2] ~= name then return nil end
    end
    local found = {}
    for i = 1, #said, 2 do found[said[i]] = said[i + 1] end
    return found
end

local function held(first)  -- which pairs of identifier and mark are still leased so, and which are not
    local ids, mine, lost = {}, {}, {}
    for i = first, #ARGV, 2 do ids[#ids + 1] = ARGV[i] end
    if #ids == 0 then return mine, lost end
    local marks = redis.call('ZMSCORE', leases, unpack(ids))
    for i, id in ipairs(ids) do
        if marks[i] == ARGV[first + 2 * i - 1] then
            mine[#mine + 1] = id
        else
            lost[#lost + 1] = i - 1
        end
    end
    return mine, lost
end

local function put(set, ids, score)
    local pairs_of, text = {}, number(score)
    for i, id in ipairs(ids) do
        pairs_of[2 * i - 1], pairs_of[2 * i] = text, id
    end
    redis.call('ZADD', set, unpack(pairs_of))
end

local function parts(id)
    local dash = string.find(id, '-', 1, true)
    return tonumber(string.sub(id, 1, dash - 1)), tonumber(string.sub(id, dash + 1))
end
local function done_by(name, last, id)
    local last_ms, last_number = parts(last)
    local ms, count = parts(id)
    return (ms < last_ms or ms == last_ms and count <= last_number)
        and not redis.call('ZSCORE', key('leases:' .. name), id)
        and not redis.call('ZSCORE', key('back:' .. name), id)
end
local function done_by_all(ids, but)  -- which of `ids` every group has done, beside one
    for _, each in ipairs(redis.pcall('XINFO', 'GROUPS', stream)) do
        if each[2] ~= but then
            local done = {}
            for _, id in ipairs(ids) do
                if done_by(each[2], each[8], id) then done[#done + 1] = id end
            end
            ids = done
        end
    end
    return ids
end
"""

APPEND: Final = Script("""
-- a writer, the number of its batch, and of each entry its delay, how many fields it has, and these
local writer = key('writer:' .. ARGV[1])
if redis.call('GET', writer) == ARGV[2] then return 0 end
local i, delayed = 3, false
while i <= #ARGV do
    local delay, fields = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
    if delay > 0 then
        local packed = cmsgpack.pack({ARGV[1], ARGV[2], i, unpack(ARGV, i + 2, i + 1 + fields)})
        redis.call('ZADD', later, number(now + delay), packed)
        delayed = true
    else
        redis.call('XADD', stream, '*', unpack(ARGV, i + 2, i + 1 + fields))
    end
    i = i + 2 + fields
end
redis.call('SET', writer, ARGV[2], 'EX', 3600)
if delayed then wake_readers() end
return 1
""")

GROUP: Final = Script("""
-- make the group, at the first entry there is
if redis.pcall('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM').err then return 0 end
local found = about('STREAM')
local open = redis.call('ZCARD', leases) + redis.call('ZCARD', back)
redis.call('DEL', leases, back)
redis.call('HSET', handed, group, found['entries-added'] - found['length'])
return open
""")

CLAIM: Final = Script("""
-- a group, how many at most, and for how many milliseconds
local most, mark, trimmed = tonumber(ARGV[2]), now + tonumber(ARGV[3]), 0
local ripe = redis.call('ZRANGEBYSCORE', later, '-inf', now, 'LIMIT', 0, 1000)
for _, packed in ipairs(ripe) do
    redis.call('XADD', stream, '*', unpack(cmsgpack.unpack(packed), 4))
end
if #ripe > 0 then redis.call('ZREM', later, unpack(ripe)) end

local again, times, taken = {}, {}, {}
for _, set in ipairs({back, leases}) do
    local due = redis.call('ZRANGEBYSCORE', set, '-inf', now, 'LIMIT', 0, most - #again)
    if #due > 0 then
        for _, entry in ipairs(redis.call('XCLAIM', stream, group, 'streamkit', 0, unpack(due))) do
            again[#again + 1], taken[#taken + 1] = entry, entry[1]
            times[#times + 1] = redis.call('XPENDING', stream, group, entry[1], entry[1], 1)[1][4]
            due[entry[1]] = true
        end
        for _, id in ipairs(due) do
            if not due[id] and #redis.call('XRANGE', stream, id, id) == 0 then trimmed = trimmed + 1 end
        end
        redis.call('ZREM', set, unpack(due))
    end
end

local fresh, flat, left = {}, {}, most - #again
if left > 0 then
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
        left = left - #fresh
        if plain then fresh = {} else flat = {} end
    end
    if left > 0 then  -- there is no more: what was added and is not here was deleted by others
        local added = about('STREAM')['entries-added']
        local missing = added - (redis.call('HGET', handed, group) or added)
        if missing > 0 then
            trimmed = trimmed + missing
            redis.call('HSET', handed, group, added)
        end
    end
end
if #taken > 0 then
    put(leases, taken, mark)
    return {trimmed, number(mark), again, times, fresh, flat}
end

local soon = 3600000
for _, set in ipairs({later, back, leases}) do
    local first = redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')
    if first[2] then soon = math.min(soon, first[2] - now) end
end
local last = redis.call('XREVRANGE', wake, '+', '-', 'COUNT', 1)
return {trimmed, number(soon), about('STREAM')['last-generated-id'], last[1] and last[1][1] or '0-0'}
""")

ACKNOWLEDGE: Final = Script("""
-- a group, and pairs of identifier and mark; what all groups have done is deleted
local mine, lost = held(2)
if #mine == 0 then return lost end
redis.call('ZREM', leases, unpack(mine))
redis.call('XACK', stream, group, unpack(mine))

local done = done_by_all(mine, group)
if #done > 0 then redis.call('XDEL', stream, unpack(done)) end
return lost
""")

HAND_BACK: Final = Script("""
-- a group, milliseconds, whether this time counts, and pairs of identifier and mark
local mine, lost = held(4)
if #mine == 0 then return lost end
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
wake_readers()
return lost
""")

RENEW: Final = Script("""
-- a group, milliseconds, and pairs of identifier and mark
local mine, lost = held(3)
local mark = now + tonumber(ARGV[2])
if #mine > 0 then put(leases, mine, mark) end
return {number(mark), lost}
""")

DEPTH: Final = Script("""
local delayed, found = redis.call('ZCARD', later), about('GROUPS', group)
if not found then return {delayed + redis.call('XLEN', stream), 0} end
local ended = redis.call('ZCOUNT', leases, '-inf', now)
local fresh = found['lag']
if not fresh then  -- others have deleted entries: at most what was added and not handed out
    fresh = about('STREAM')['entries-added'] - redis.call('HGET', handed, group)
end
local waiting = fresh + delayed + ended + redis.call('ZCARD', back)
return {waiting, redis.call('ZCARD', leases) - ended}
""")

PURGE: Final = Script("""
local found = about('STREAM')
local count = redis.call('ZCARD', later) + (found and found['length'] or 0)
redis.call('DEL', later)
if found then
    redis.call('XTRIM', stream, 'MAXLEN', 0)
    for _, each in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
        redis.call('XGROUP', 'DESTROY', stream, each[2])
        redis.call('XGROUP', 'CREATE', stream, each[2], '$', 'ENTRIESREAD', found['entries-added'])
        redis.call('DEL', key('leases:' .. each[2]), key('back:' .. each[2]))
        redis.call('HSET', handed, each[2], found['entries-added'])
    end
end
return count
""")

FORGET: Final = Script("""
-- a group, and from which entry on to look for those that only it has not done; where to go on then
local there = redis.pcall('XGROUP', 'DESTROY', stream, group) == 1
redis.call('DEL', leases, back)
redis.call('HDEL', handed, group)
if #redis.pcall('XINFO', 'GROUPS', stream) == 0 then return {there and 1 or 0, false} end
local ids = {}
for i, entry in ipairs(redis.call('XRANGE', stream, ARGV[2], '+', 'COUNT', 1000)) do ids[i] = entry[1] end
local done = done_by_all(ids, false)
if #done > 0 then redis.call('XDEL', stream, unpack(done)) end
return {there and 1 or 0, #ids == 1000 and '(' .. ids[1000]}
""")
