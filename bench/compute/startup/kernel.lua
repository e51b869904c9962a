local name = "Ada"
local total = 1 + 2 + 3
print("Hello " .. name .. ", " .. total)
