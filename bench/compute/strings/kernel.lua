-- Texts: appending, walking letter by letter, slicing, interpolation, split, join, upper case, replace.
local SIZE = 2

local function make_text(length, seed)
  local letters = "aabcd ef"
  local text = {}
  for i = 1, length do
    seed = (seed * 3877 + 29573) % 139968
    local at = math.floor(seed / 16) % 8 + 1
    text[i] = letters:sub(at, at)
  end
  return table.concat(text)
end

local function run_lengths(text)
  local out = {}
  local i = 1
  while i <= #text do
    local letter = text:sub(i, i)
    local run = 1
    while i + run <= #text and text:sub(i + run, i + run) == letter do
      run = run + 1
    end
    if run > 1 then
      out[#out + 1] = run .. letter
    else
      out[#out + 1] = letter
    end
    i = i + run
  end
  return table.concat(out)
end

local function palindromes(text)
  local count = 0
  for middle = 2, #text - 1 do
    local reach = 1
    while middle - reach >= 1 and middle + reach <= #text and text:byte(middle - reach) == text:byte(middle + reach) do
      count = count + 1
      reach = reach + 1
    end
  end
  return count
end

local function capitals(text)
  local words = {}
  for word in (text .. " "):gmatch("(.-) ") do
    if #word > 1 then
      words[#words + 1] = word:sub(1, 1):upper() .. word:sub(2)
    else
      words[#words + 1] = word
    end
  end
  return table.concat(words, "-")
end

local function checksum(text)
  local sum = 0
  for i = 1, #text do
    sum = (sum * 31 + text:byte(i)) % 1000003
  end
  return sum
end

local found, sum = 0, 0
for turn = 0, SIZE - 1 do
  local text = make_text(1000, turn)
  local short = run_lengths(text)
  local loud = capitals(short):gsub("a", "[a]")
  found = found + palindromes(text)
  sum = (sum + checksum(loud)) % 1000003
end
print(found)
print(sum)
