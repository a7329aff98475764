/** What the original's one algorithm computes over: the mean of one column by the other. */
export const averagesColumns = { gender: "Geslacht", salary: "Salschal" } as const;
