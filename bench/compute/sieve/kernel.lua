-- The sieve of Eratosthenes, ten times: a list of bools.
local SIZE = 300

local function primes_below(n)
  local composite = {}
  for i = 0, n - 1 do
    composite[i] = false
  end
  local count = 0
  for i = 2, n - 1 do
    if not composite[i] then
      count = count + 1
      for j = i * i, n - 1, i do
        composite[j] = true
      end
    end
  end
  return count
end

local total = 0
for turn = 0, 9 do
  total = total + primes_below(SIZE - turn)
end
print(total)
