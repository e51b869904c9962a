-- Word count: a long text split into words, counted in a map, the most frequent first.
local SIZE = 300

local function make_text(count)
  local syllables = { "ba", "de", "fi", "go", "lu", "ma", "ne", "po", "ri", "sa", "tu", "xa" }
  local words = {}
  local seed = 42
  for i = 1, count do
    local word = ""
    seed = (seed * 3877 + 29573) % 139968
    local parts = 1 + seed % 3
    for _ = 1, parts do
      seed = (seed * 3877 + 29573) % 139968
      word = word .. syllables[math.floor(seed / 8) % 12 + 1]
    end
    words[i] = word
  end
  return table.concat(words, " ")
end

local function count_words(text)
  local counts = {}
  for word in text:gmatch("[^ ]+") do
    counts[word] = (counts[word] or 0) + 1
  end
  return counts
end

local text = make_text(SIZE)
local counts = count_words(text)
local ranking = {}
for word, n in pairs(counts) do
  ranking[#ranking + 1] = { word, n }
end
table.sort(ranking, function(a, b)
  if a[2] ~= b[2] then return a[2] > b[2] end
  return a[1] < b[1]
end)
local checksum = 0
for rank, entry in ipairs(ranking) do
  checksum = (checksum + entry[2] * rank) % 1000003
end
print(#text)
print(#ranking)
print(ranking[1][1] .. " " .. ranking[1][2] .. ", " .. ranking[2][1] .. " " .. ranking[2][2] .. ", " .. checksum)
