-- The product of two matrices: lists of lists of floats.
local SIZE = 10

local function make_matrix(n, scale)
  local rows = {}
  for i = 1, n do
    local row = {}
    for j = 1, n do
      row[j] = scale * (i - j) * (i + j - 2) / n
    end
    rows[i] = row
  end
  return rows
end

local function product(a, b)
  local n = #a
  local rows = {}
  for i = 1, n do
    local row = {}
    for j = 1, n do
      local sum = 0.0
      for k = 1, n do
        sum = sum + a[i][k] * b[k][j]
      end
      row[j] = sum
    end
    rows[i] = row
  end
  return rows
end

local c = product(make_matrix(SIZE, 0.5), make_matrix(SIZE, 2.0))
local trace = 0.0
for i, row in ipairs(c) do
  trace = trace + row[i]
end
print(string.format("%.3f", c[4][5]))
print(string.format("%.3f", trace))
