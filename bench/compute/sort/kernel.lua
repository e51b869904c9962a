-- Sorting ints by hand: quicksort in place.
local SIZE = 200

local floor = math.floor

local function quicksort(xs, low, high)
  if low >= high then
    return
  end
  local pivot = xs[floor((low + high) / 2)]
  local i, j = low, high
  while i <= j do
    while xs[i] < pivot do i = i + 1 end
    while xs[j] > pivot do j = j - 1 end
    if i <= j then
      xs[i], xs[j] = xs[j], xs[i]
      i = i + 1
      j = j - 1
    end
  end
  quicksort(xs, low, j)
  quicksort(xs, i, high)
end

local numbers = {}
local seed = 42
for i = 1, SIZE do
  seed = (seed * 3877 + 29573) % 139968
  numbers[i] = seed
end
quicksort(numbers, 1, #numbers)
local checksum = 0
for i, n in ipairs(numbers) do
  if i > 1 and numbers[i - 1] > n then
    print("not sorted at " .. i)
  end
  checksum = (checksum * 31 + n) % 1000003
end
print(checksum)
