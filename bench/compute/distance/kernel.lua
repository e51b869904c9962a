-- Edit distance: the letters of two texts against each other, two rows of a table.
local SIZE = 30

local min = math.min

local function make_word(length, seed)
  local letters = "abcdefgh"
  local word = {}
  for i = 1, length do
    seed = (seed * 3877 + 29573) % 139968
    local at = seed % 8 + 1
    word[i] = letters:sub(at, at)
  end
  return table.concat(word)
end

local function distance(a, b)
  local above = {}
  for j = 0, #b do
    above[j] = j
  end
  for i = 1, #a do
    local row = { [0] = i }
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      row[j] = min(min(above[j] + 1, row[j - 1] + 1), above[j - 1] + cost)
    end
    above = row
  end
  return above[#b]
end

print(distance(make_word(SIZE, 42), make_word(SIZE + 10, 7)))
