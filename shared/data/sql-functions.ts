/** The functions that a query may call: those that compute on their arguments alone. Everything else is refused. */
const scalar = `
  + - * / // % ** ^ & | << >> ~ || ~~ !~~ ~~* !~~* ~~~ @ !
  abs acos asin atan atan2 cbrt ceil ceiling cos cot degrees even exp factorial floor gcd greatest lcm least ln log log10 log2
  mod pi pow power radians round round_even roundbankers sign sin sqrt tan trunc isnan isinf isfinite fdiv fmod add subtract multiply divide
  ascii chr char_length character_length concat concat_ws contains ends_with suffix starts_with prefix instr strpos position lcase lower upper ucase left right
  len length length_grapheme lpad rpad ltrim rtrim trim nfc_normalize strip_accents repeat replace reverse substr substring substring_grapheme
  split_part regexp_matches regexp_full_match regexp_replace regexp_extract translate levenshtein editdist3 hamming jaro_similarity jaro_winkler_similarity
  like_escape not_like_escape ilike_escape not_ilike_escape format printf md5 sha256 hash unicode ord
  century date_diff datediff date_part datepart date_sub datesub date_trunc datetrunc day dayname dayofmonth dayofweek dayofyear decade epoch epoch_ms hour
  isodow isoyear julian last_day make_date make_timestamp microsecond millennium millisecond minute month monthname quarter second strftime strptime
  week weekday weekofyear year yearweek era age date_add to_days to_months to_years to_hours to_minutes to_seconds time_bucket
  coalesce ifnull nullif if
`;

/** Aggregates whose value depends on all values together: no row's own value can be read off. */
const summary = `
  count count_star count_if countif sum sum_no_overflow kahan_sum fsum sumkahan favg avg mean
  stddev stddev_pop stddev_samp var_pop var_samp variance sem skewness kurtosis kurtosis_pop entropy approx_count_distinct
  corr covar_pop covar_samp regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy
`;

/** Aggregates that hand out values as they are in single rows, or may. */
const selective = `
  any_value arbitrary arg_max arg_min argmax argmin max_by min_by bit_and bit_or bit_xor bool_and bool_or
  first last max min product string_agg group_concat listagg approx_quantile mad median mode quantile quantile_cont quantile_disc
  histogram_values
`;

const window = `
  row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
`;

export const summaryFunctions = namesIn(summary);
export const aggregateFunctions: ReadonlySet<string> = new Set([...summaryFunctions, ...namesIn(selective)]);
export const scalarFunctions = namesIn(scalar);
export const allowedFunctions: ReadonlySet<string> = new Set([
  ...scalarFunctions,
  ...aggregateFunctions,
  ...namesIn(window),
]);

function namesIn(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/).filter(Boolean));
}
