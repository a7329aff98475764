/** The functions that a query may call: those that compute on their arguments alone. Everything else is refused. */
const allowed = `
  + - * / // % ** ^ & | << >> ~ || ~~ !~~ ~~* !~~* ~~~ @ !
  abs acos asin atan atan2 cbrt ceil ceiling cos cot degrees even exp factorial floor gcd greatest lcm least ln log log10 log2
  mod pi pow power radians round round_even roundbankers sign sin sqrt tan trunc isnan isinf isfinite fdiv fmod add subtract multiply divide
  ascii chr char_length character_length concat concat_ws contains ends_with suffix starts_with prefix instr strpos position lcase lower upper ucase left right
  len length length_grapheme lpad rpad ltrim rtrim trim nfc_normalize strip_accents repeat replace reverse substr substring substring_grapheme
  split_part regexp_matches regexp_full_match regexp_replace regexp_extract translate initcap levenshtein editdist3 hamming jaro_similarity jaro_winkler_similarity
  like_escape not_like_escape ilike_escape not_ilike_escape format printf md5 sha256 hash unicode ord
  century date_diff datediff date_part datepart date_sub datesub date_trunc datetrunc day dayname dayofmonth dayofweek dayofyear decade epoch epoch_ms hour
  isodow isoyear julian last_day make_date make_timestamp microsecond millennium millisecond minute month monthname quarter second strftime strptime
  week weekday weekofyear year yearweek era age date_add to_days to_months to_years to_hours to_minutes to_seconds time_bucket
  coalesce ifnull nullif if
  any_value arbitrary arg_max arg_min argmax argmin max_by min_by avg mean bit_and bit_or bit_xor bool_and bool_or count count_star count_if countif
  first last max min product sum sum_no_overflow kahan_sum fsum sumkahan favg string_agg group_concat listagg
  approx_count_distinct approx_quantile corr covar_pop covar_samp entropy kurtosis kurtosis_pop mad median mode quantile quantile_cont quantile_disc
  regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy skewness stddev stddev_pop stddev_samp
  var_pop var_samp variance sem histogram_values
  row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
`;

export const allowedFunctions: ReadonlySet<string> = new Set(allowed.split(/\s+/).filter(Boolean));
