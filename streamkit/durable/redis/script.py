"""What runs in the server, each at once or not at all: no reader sees half of it, nor a log that was cut.

Keys of a carrier named `inbox`, all in one slot of a cluster:

    inbox                   a stream: entries without a key, with the fields body, headers
    {inbox}:later           those whose delay is not over, by the time when it is
    {inbox}:wake            a stream of one entry, which is another when readers should look again
    {inbox}:handed          how many entries each group was handed out, those that were trimmed included
    {inbox}:leases:GROUP    what is handed out and not acknowledged, by the time when its lease ends
    {inbox}:back:GROUP      what was handed back, by the time when it may be handed out again
    {inbox}:writer:ID       the last batch of a writer, so that one sent twice is stored once

When an entry with a key is stored for the first time, these are added:

    {inbox}:parts           how many partitions there are
    {inbox}:1:entries       a stream: entries whose keys are of the first partition
    {inbox}:1:handed        and so on: as above, of that partition
    {inbox}:owners:GROUP    who was handed out something of each partition last

While somebody has a lease in a partition, nobody else is handed out anything of it: so its entries come in
order. Each group is a group of all these streams.

The time is always that of the server: clocks of readers and writers may differ. The end of a lease, in
milliseconds, is also its mark: who claims an entry later has a later one.
"""

from __future__ import annotations

from hashlib import sha1
from typing import Final

__all__ = ["Script"]


class Script:
    """A text, and what the server knows it by."""

    def __init__(self, text: str) -> None:
        self.text: str = _COMMON + text
        self.sha: str = sha1(self.text.encode(), usedforsecurity=False).hexdigest()


_COMMON: Final = """
local inbox, group = KEYS[1], ARGV[1]
local function key(kind) return '{' .. inbox .. '}:' .. kind end
local later, wake = key('later'), key('wake')
local at = redis.call('TIME')
local now = at[1] * 1000 + math.floor(at[2] / 1000)
local parts = tonumber(redis.call('GET', key('parts')) or 0)

local base, stream, handed, leases, back
local function use(part)  -- all below is about this one; 0 is that of the entries without a key
    base = part == 0 and '' or part .. ':'
    stream = part == 0 and inbox or key(base .. 'entries')
    handed = key(base .. 'handed')
    leases, back = key(base .. 'leases:' .. group), key(base .. 'back:' .. group)
end

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

local function joined()  -- make the group, at the first entry there is; what was open, if others deleted it
    if not redis.pcall('XPENDING', stream, group).err then return 0 end
    redis.call('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM')
    local found = about('STREAM')
    local open = redis.call('ZCARD', leases) + redis.call('ZCARD', back)
    redis.call('DEL', leases, back)
    redis.call('HSET', handed, group, found['entries-added'] - found['length'])
    return open
end

local function held(first, work)  -- `work` gets what is still leased so, by part; what is not, is returned
    local by, lost = {}, {}
    for i = first, #ARGV, 3 do
        local part = tonumber(ARGV[i])
        by[part] = by[part] or {ids = {}, at = {}}
        local those = by[part]
        those.ids[#those.ids + 1], those.at[#those.at + 1] = ARGV[i + 1], i
    end
    for part, those in pairs(by) do
        use(part)
        local marks, mine = redis.call('ZMSCORE', leases, unpack(those.ids)), {}
        for i, id in ipairs(those.ids) do
            if marks[i] == ARGV[those.at[i] + 2] then
                mine[#mine + 1] = id
            else
                lost[#lost + 1] = (those.at[i] - first) / 3
            end
        end
        if #mine > 0 then work(mine, part) end
    end
    return lost
end

local function put(set, ids, score)
    local pairs_of, text = {}, number(score)
    for i, id in ipairs(ids) do
        pairs_of[2 * i - 1], pairs_of[2 * i] = text, id
    end
    redis.call('ZADD', set, unpack(pairs_of))
end

local function split(id)
    local dash = string.find(id, '-', 1, true)
    return tonumber(string.sub(id, 1, dash - 1)), tonumber(string.sub(id, dash + 1))
end
local function before(one, other)
    local ms, count = split(one)
    local other_ms, other_count = split(other)
    return ms < other_ms or ms == other_ms and count < other_count
end

local function drop(ids)  -- delete those of `ids` that every group has done
    for _, each in ipairs(redis.pcall('XINFO', 'GROUPS', stream)) do
        local done, name, last = {}, each[2], each[8]
        local open = {key(base .. 'leases:' .. name), key(base .. 'back:' .. name)}
        for _, id in ipairs(ids) do
            if not before(last, id) and not redis.call('ZSCORE', open[1], id)
                and not redis.call('ZSCORE', open[2], id) then done[#done + 1] = id end
        end
        ids = done
    end
    if #ids > 0 then redis.call('XDEL', stream, unpack(ids)) end
end
"""
