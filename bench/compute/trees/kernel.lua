-- Binary trees: many small records, most of them soon garbage.
local SIZE = 6

local function make(depth)
  if depth == 0 then
    return { left = nil, right = nil }
  end
  return { left = make(depth - 1), right = make(depth - 1) }
end

local function count(tree)
  if tree.left == nil then
    return 1
  end
  return 1 + count(tree.left) + count(tree.right)
end

print(count(make(SIZE + 1)))
local long_lived = make(SIZE)
for depth = 4, SIZE, 2 do
  local turns = 2 ^ (SIZE - depth + 4)
  local sum = 0
  for _ = 1, turns do
    sum = sum + count(make(depth))
  end
  print(string.format("%d trees of depth %d: %d", turns, depth, sum))
end
print(count(long_lived))
