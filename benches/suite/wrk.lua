-- One request of a kind, again and again, with a line of the ids file in place of ID.
-- Arguments: method, path (with ID), ids file, body file or "-", then header name and value in turn.

local ids, path, body, headers, method = {}, "", nil, {}, "GET"
local at = 0

function init(args)
  method, path = args[1], args[2]
  for line in io.lines(args[3]) do ids[#ids + 1] = line end
  if args[4] ~= "-" then
    local file = io.open(args[4])
    body = file:read("*a")
    file:close()
  end
  for n = 5, #args, 2 do headers[args[n]] = args[n + 1] end
end

function request()
  at = at % #ids + 1
  local id = ids[at]
  return wrk.format(method, (path:gsub("ID", id)), headers, body and (body:gsub("ID", id)))
end

function done(summary, latency)
  io.write(string.format(
    '{"requests": %d, "seconds": %f, "not_2xx": %d, "socket_errors": %d, "p50_ms": %f, "p99_ms": %f}\n',
    summary.requests, summary.duration / 1e6, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
