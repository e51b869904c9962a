-- JSON: a writer and a reader of JSON by hand, letter by letter, for values known only at run time.
local SIZE = 5

-- A list is { list = true, … }; a map keeps the order of its keys: { keys = { … }, values = { … } }.
local null = {}

local function new_map(pairs_of)
  local map = { keys = {}, values = {} }
  for i = 1, #pairs_of, 2 do
    map.keys[#map.keys + 1] = pairs_of[i]
    map.values[pairs_of[i]] = pairs_of[i + 1]
  end
  return map
end

local function quote(text)
  local out = { '"' }
  for i = 1, #text do
    local c = text:sub(i, i)
    if c == '"' or c == "\\" then
      out[#out + 1] = "\\" .. c
    elseif c == "\n" then
      out[#out + 1] = "\\n"
    else
      out[#out + 1] = c
    end
  end
  out[#out + 1] = '"'
  return table.concat(out)
end

local function write(value)
  if value == null then return "null" end
  local kind = type(value)
  if kind == "boolean" then return value and "true" or "false" end
  if kind == "string" then return quote(value) end
  if kind == "table" then
    local parts = {}
    if value.list then
      for i = 1, #value do
        parts[i] = write(value[i])
      end
      return "[" .. table.concat(parts, ",") .. "]"
    end
    for i, key in ipairs(value.keys) do
      parts[i] = quote(key) .. ":" .. write(value.values[key])
    end
    return "{" .. table.concat(parts, ",") .. "}"
  end
  return tostring(value)
end

local read_value

-- The text, and how far it is read.
local function read(text)
  return read_value({ text = text, at = 1 })
end

local function letter(input)
  return input.text:sub(input.at, input.at)
end

local function skip_blanks(input)
  while letter(input) == " " or letter(input) == "\n" do
    input.at = input.at + 1
  end
end

local function read_word(input, word, value)
  if input.text:sub(input.at, input.at + #word - 1) ~= word then
    error("expected " .. word .. " at " .. input.at)
  end
  input.at = input.at + #word
  return value
end

local function read_number(input)
  local start = input.at
  while input.at <= #input.text and ("-0123456789"):find(letter(input), 1, true) do
    input.at = input.at + 1
  end
  return tonumber(input.text:sub(start, input.at - 1))
end

local function read_text(input)
  input.at = input.at + 1
  local out = {}
  while letter(input) ~= '"' do
    local c = letter(input)
    if c == "\\" then
      input.at = input.at + 1
      c = letter(input)
      if c == "n" then c = "\n" end
    end
    out[#out + 1] = c
    input.at = input.at + 1
  end
  input.at = input.at + 1
  return table.concat(out)
end

local function read_list(input)
  input.at = input.at + 1
  local out = { list = true }
  skip_blanks(input)
  while letter(input) ~= "]" do
    out[#out + 1] = read_value(input)
    skip_blanks(input)
    if letter(input) == "," then input.at = input.at + 1 end
  end
  input.at = input.at + 1
  return out
end

local function read_map(input)
  input.at = input.at + 1
  local out = { keys = {}, values = {} }
  skip_blanks(input)
  while letter(input) ~= "}" do
    local key = read_text(input)
    skip_blanks(input)
    input.at = input.at + 1
    out.keys[#out.keys + 1] = key
    out.values[key] = read_value(input)
    skip_blanks(input)
    if letter(input) == "," then
      input.at = input.at + 1
      skip_blanks(input)
    end
  end
  input.at = input.at + 1
  return out
end

function read_value(input)
  skip_blanks(input)
  local c = letter(input)
  if c == "{" then return read_map(input) end
  if c == "[" then return read_list(input) end
  if c == '"' then return read_text(input) end
  if c == "t" then return read_word(input, "true", true) end
  if c == "f" then return read_word(input, "false", false) end
  if c == "n" then return read_word(input, "null", null) end
  return read_number(input)
end

local function make_orders(count)
  local orders = { list = true }
  local seed = 42
  for i = 0, count - 1 do
    seed = (seed * 3877 + 29573) % 139968
    local items = { list = true }
    for k = 0, seed % 4 - 1 do
      items[#items + 1] = new_map({ "article", "article " .. seed % 97 + k, "price", seed % 1000 + k, "gift", k == 2 })
    end
    local note = seed % 5 == 0 and null or 'say "' .. seed .. '"\nand \\ go'
    local customer = "customer " .. seed % 50
    orders[#orders + 1] = new_map({ "id", i, "customer", customer, "paid", seed % 2 == 0, "note", note, "items", items })
  end
  return orders
end

-- The sum of all prices of paid orders.
local function turnover(orders)
  local sum = 0
  for _, order in ipairs(orders) do
    if order.values.paid then
      for _, item in ipairs(order.values.items) do
        sum = sum + item.values.price
      end
    end
  end
  return sum
end

local text = write(make_orders(SIZE))
local orders = read(text)
local again = write(orders)
local checksum = 0
for i = 1, #again do
  checksum = (checksum * 31 + again:byte(i)) % 1000003
end
print(#orders .. " orders in " .. #text .. " letters, " .. tostring(text == again))
print(turnover(orders) .. " " .. checksum)
