-- What HAProxy asks before Hive Router sees a request: docs/containers.md, "One graph over both services".
--
-- The router copies a fragment at each of its spreads, those within fragments too, before a service checks the password:
-- 830 bytes take more than its memory. HAProxy by itself counts no spreads and asks no service about a login.

-- Copies of a selection. With `max_tokens` of router.config.yaml it bounds what the router takes for one document.
local COPIES = 200
local LOGIN_TIMEOUT = 5000

local function character(hex) return string.char(tonumber(hex, 16)) end

--- Undoes the escapes of a URL.
local function decoded(query) return (query:gsub('+', ' '):gsub('%%(%x%x)', character)) end

--- Undoes the escapes of JSON that can hide a spread or its name.
local function unescaped(json) return (json:gsub('\\u00(%x%x)', character):gsub('\\[nrt]', ' ')) end

--- Upper bound of the copies of a selection: (1 + spreads) * the product of how often each fragment is spread. Spreads
--- in strings and comments count too. One without a readable name, as before a comment, doubles: never too little.
local function copies(text)
    local spreads, of, product = 0, {}, 1.0 -- an integer would begin anew at 2^63
    for name, after in text:gmatch('%.%.%.[%s,]*([%w_]*)()') do
        local inline = name == 'on' or name == '' and text:find('^[{@]', after)
        if not inline then
            spreads = spreads + 1
            if name == '' then product = product * 2 else of[name] = (of[name] or 0) + 1 end
        end
    end
    for _, count in pairs(of) do product = product * count end
    return (1 + spreads) * product
end

--- Sets txn.whole: the body is here, as long as its head says; and txn.unfolds: the document becomes too large.
core.register_action('measure', { 'http-req' }, function(txn)
    local body = txn.f:req_body() or ''
    local document = decoded(txn.f:query() or '') .. ' ' .. unescaped(body)
    txn:set_var('txn.unfolds', copies(document) > COPIES)
    txn:set_var('txn.whole', #body == txn.f:req_body_size())
end)

--- Sets txn.login: the status that this address answers the caller with, 503 without an answer.
core.register_action('login', { 'http-req' }, function(txn, address)
    local headers = {}
    for _, name in ipairs({ 'authorization', 'x-forwarded-for', 'x-request-id' }) do
        headers[name] = { txn.f:req_fhdr(name) }
    end
    local answer = core.httpclient():get({ url = address, headers = headers, timeout = LOGIN_TIMEOUT })
    txn:set_var('txn.login', answer and answer.status > 0 and answer.status or 503)
end, 1)
