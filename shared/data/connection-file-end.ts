/** What the name of a file ends with that says where a PostgreSQL is, and which is never read as data. */
export const connectionFileEnd = ".postgres.json";
