-- Permutations: the most flips that bring 0 to the front, over all orders of n numbers.
local SIZE = 6

local function fannkuch(n)
  local perm, count, order = {}, {}, {}
  for i = 1, n do
    order[i] = i
    perm[i] = 0
    count[i] = 0
  end
  local most, checksum, even, r = 0, 0, true, n
  while true do
    while r ~= 1 do
      count[r] = r
      r = r - 1
    end
    for i = 1, n do
      perm[i] = order[i]
    end
    local flips = 0
    local first = perm[1]
    while first ~= 1 do
      local low, high = 2, first - 1
      while low < high do
        perm[low], perm[high] = perm[high], perm[low]
        low = low + 1
        high = high - 1
      end
      local next = perm[first]
      perm[first] = first
      first = next
      flips = flips + 1
    end
    if flips > most then
      most = flips
    end
    checksum = checksum + (even and flips or -flips)
    even = not even
    -- The next order: rotate ever longer beginnings until one has a turn left.
    while true do
      if r == n then
        return checksum, most
      end
      local front = order[1]
      for i = 1, r do
        order[i] = order[i + 1]
      end
      order[r + 1] = front
      count[r + 1] = count[r + 1] - 1
      if count[r + 1] > 0 then
        break
      end
      r = r + 1
    end
  end
end

local checksum, most = fannkuch(SIZE)
print(checksum .. " " .. most)
