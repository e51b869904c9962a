-- Recursion: Fibonacci numbers, each as the sum of two calls.
local SIZE = 16

local function fib(n)
  if n < 2 then return n end
  return fib(n - 1) + fib(n - 2)
end

print(fib(SIZE))
