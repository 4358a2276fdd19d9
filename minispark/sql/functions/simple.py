"""Functions whose signature says all: one table, from which they are made.

`name(a, b=, c?, d:1)`: `a` is a column or the name of one, `b` a constant or a column, `c` may be
left out, `d` is the constant 1 if left out. The functions of `_OF_ONE` take one column, `col`.
"""

from __future__ import annotations

from collections.abc import Callable

from minispark.sql.column import Column
from minispark.sql.functions.making import made

_OF_ONE = """
abs acos acosh array_agg array_compact array_distinct array_max array_min array_size ascii
asin asinh atan atanh avg base64 bin bit_and bit_count bit_length bit_or bit_xor
bitmap_and_agg bitmap_bit_position bitmap_bucket_number bitmap_construct_agg bitmap_count
bitmap_or_agg bool_and bool_or cardinality cbrt char chr collation collect_list collect_set
collect_union cos cosh cot count_if crc32 csc day dayname dayofmonth dayofweek dayofyear
degrees every exp explode explode_outer expm1 factorial flatten from_base32 grouping hex
hll_sketch_estimate hour initcap inline inline_outer isnan isnotnull isnull json_array_length
json_object_keys kll_sketch_get_n_bigint kll_sketch_get_n_double kll_sketch_get_n_float
kll_sketch_to_string_bigint kll_sketch_to_string_double kll_sketch_to_string_float kurtosis
length ln log10 log1p log2 lower map_entries map_from_entries map_keys map_values max md5
median min minute month monthname negative nullifzero octet_length parse_json posexplode
posexplode_outer positive product quarter quote radians reverse rint sec second sha sha1 sign
signum sin sinh size skewness some soundex sqrt std stddev stddev_pop stddev_samp sum tan
tanh theta_intersection_agg theta_sketch_estimate time_from_micros time_from_millis
time_from_seconds time_to_micros time_to_millis time_to_seconds timestamp_micros
timestamp_millis timestamp_nanos timestamp_seconds to_base32 to_variant_object try_avg
try_parse_json try_sum tuple_sketch_estimate_double tuple_sketch_estimate_integer
tuple_sketch_theta_double tuple_sketch_theta_integer typeof unbase64 unhex unix_date
unix_micros unix_millis unix_nanos unix_seconds upper var_pop var_samp variance vector_avg
vector_sum weekday weekofyear year zeroifnull
"""

_OTHERS = """
add_months(start, months); aes_decrypt(input, key, mode?, padding?, aad?);
aes_encrypt(input, key, mode?, padding?, iv?, aad?); array_append(col, value=);
array_contains(col, value=); array_except(col1, col2); array_insert(arr, pos, value=);
array_intersect(col1, col2); array_position(col, value=); array_prepend(col, value=);
array_remove(col, element=); array_union(col1, col2); arrays_overlap(a1, a2);
arrays_zip(*cols); assert_true(col, errMsg=?); bit_get(col, pos); btrim(str, trim?);
char_length(str); character_length(str); collate(col, collation=); concat(*cols);
contains(left, right); convert_timezone(sourceTz=, targetTz=, sourceTs); corr(col1, col2);
count_min_sketch(col, eps=, confidence=, seed=?); counter_diff(value, startTime?);
covar_pop(col1, col2); covar_samp(col1, col2); cume_dist(); curdate(); current_catalog();
current_database(); current_date(); current_path(); current_schema();
current_time(precision=?); current_timestamp(); current_timezone(); current_user();
date_add(start, days); date_diff(end, start); date_from_unix_date(days);
date_part(field=, source); date_sub(start, days); dateadd(start, days); datediff(end, start);
datepart(field=, source); decode(col, charset=); dense_rank(); e();
element_at(col, extraction=); elt(*inputs); encode(col, charset=); endswith(str, suffix);
equal_null(col1, col2); extract(field=, source); find_in_set(str, str_array);
from_utc_timestamp(timestamp, tz=); get(col, index); getbit(col, pos); greatest(*cols);
hash(*cols); histogram_numeric(col, nBins=); hll_sketch_agg(col, lgConfigK=?);
hll_union(col1, col2, allowDifferentLgConfigK=?);
hll_union_agg(col, allowDifferentLgConfigK=?); hmac(key, message, algorithm?);
ifnull(col1, col2); ilike(str, pattern, escapeChar=?); input_file_block_length();
input_file_block_start(); input_file_name(); instr(str, substr=, start=?, occurrence=?);
is_valid_utf8(str); is_valid_variant(v); is_variant_null(v);
jaro_winkler_similarity(left, right); java_method(*cols); kll_merge_agg_bigint(col, k=?);
kll_merge_agg_double(col, k=?); kll_merge_agg_float(col, k=?);
kll_sketch_agg_bigint(col, k=?); kll_sketch_agg_double(col, k=?);
kll_sketch_agg_float(col, k=?); kll_sketch_get_quantile_bigint(sketch, rank);
kll_sketch_get_quantile_double(sketch, rank); kll_sketch_get_quantile_float(sketch, rank);
kll_sketch_get_rank_bigint(sketch, quantile); kll_sketch_get_rank_double(sketch, quantile);
kll_sketch_get_rank_float(sketch, quantile); kll_sketch_merge_bigint(left, right);
kll_sketch_merge_double(left, right); kll_sketch_merge_float(left, right); last_day(date);
lcase(str); least(*cols); left(str, len); levenshtein(left, right, threshold=?);
like(str, pattern, escapeChar=?); listagg(col, delimiter=?); localtimestamp();
lpad(col, len=, pad=); ltrim(col, trim?); make_date(year, month, day);
make_dt_interval(days:0, hours:0, mins:0, secs:0);
make_interval(years:0, months:0, weeks:0, days:0, hours:0, mins:0, secs:0);
make_time(hour, minute, second);
make_timestamp(years?, months?, days?, hours?, mins?, secs?, timezone?, date?, time?);
make_timestamp_ltz(years, months, days, hours, mins, secs, timezone?);
make_timestamp_ntz(years?, months?, days?, hours?, mins?, secs?, date?, time?);
make_valid_utf8(str); make_ym_interval(years:0, months:0); map_contains_key(col, value=);
map_from_arrays(col1, col2); mask(col, upperChar?, lowerChar?, digitChar?, otherChar?);
max_by(col, ord, k=?); min_by(col, ord, k=?); named_struct(*cols); nanvl(col1, col2); now();
nullif(col1, col2); nvl(col1, col2); nvl2(col1, col2, col3);
parse_url(url, partToExtract, key?); percent_rank(); pi(); position(substr, str, start?);
raise_error(errMsg=); randstr(length=, seed=?); rank(); reflect(*cols); regexp(str, regexp);
regexp_count(str, regexp); regexp_extract_all(str, regexp, idx=?);
regexp_instr(str, regexp, idx=?); regexp_like(str, regexp);
regexp_replace(string, pattern=, replacement=, position=?); regexp_substr(str, regexp);
regr_avgx(y, x); regr_avgy(y, x); regr_count(y, x); regr_intercept(y, x); regr_r2(y, x);
regr_slope(y, x); regr_sxx(y, x); regr_sxy(y, x); regr_syy(y, x); repeat(col, n);
replace(src, search, replace?); right(str, len); rlike(str, regexp); row_number();
rpad(col, len=, pad=); rtrim(col, trim?); schema_of_variant(v); schema_of_variant_agg(v);
sentences(string, language?, country?); sequence(start, stop, step?); session_user();
sha2(col, numBits=); shuffle(col, seed=?); slice(x, start, length); spark_partition_id();
split_part(src, delimiter, partNum); st_asbinary(geo, endianness?); st_geogfromwkb(wkb);
st_geomfromwkb(wkb, srid?); st_setsrid(geo, srid); st_srid(geo); stack(*cols);
startswith(str, prefix); str_to_map(text, pairDelim?, keyValueDelim?);
string_agg(col, delimiter=?); substr(str, pos, len?); substring_index(str, delim=, count=);
theta_difference(col1, col2); theta_intersection(col1, col2);
theta_sketch_agg(col, lgNomEntries=?); theta_union(col1, col2, lgNomEntries=?);
theta_union_agg(col, lgNomEntries=?); time_bucket(bucket_size=, ts, origin=?);
time_diff(unit, start, end); time_trunc(unit, time); timestamp_add(unit=, quantity, ts);
timestamp_diff(unit=, start, end); to_binary(col, format?); to_char(col, format);
to_number(col, format); to_time(str, format?); to_timestamp_ltz(timestamp, format?);
to_timestamp_ntz(timestamp, format?); to_unix_timestamp(timestamp, format?);
to_utc_timestamp(timestamp, tz=); to_varchar(col, format); trim(col, trim?);
try_add(left, right); try_aes_decrypt(input, key, mode?, padding?, aad?);
try_divide(left, right); try_element_at(col, extraction);
try_make_interval(years:0, months:0, weeks:0, days:0, hours:0, mins:0, secs:0);
try_make_timestamp(years?, months?, days?, hours?, mins?, secs?, timezone?, date?, time?);
try_make_timestamp_ltz(years, months, days, hours, mins, secs, timezone?);
try_make_timestamp_ntz(years?, months?, days?, hours?, mins?, secs?, date?, time?);
try_mod(left, right); try_multiply(left, right); try_parse_url(url, partToExtract, key?);
try_reflect(*cols); try_subtract(left, right); try_to_binary(col, format?);
try_to_date(col, format=?); try_to_number(col, format); try_to_time(str, format?);
try_to_timestamp(col, format?); try_url_decode(str); try_validate_utf8(str);
try_variant_array_append(v, path=, value); try_variant_get(v, path=, targetType=);
try_variant_insert(v, path=, value);
try_variant_set(v, path=, value, create_if_missing=:True);
tuple_difference_double(col1, col2); tuple_difference_integer(col1, col2);
tuple_difference_theta_double(col1, col2); tuple_difference_theta_integer(col1, col2);
tuple_intersection_agg_double(col, mode=?); tuple_intersection_agg_integer(col, mode=?);
tuple_intersection_double(col1, col2, mode=?);
tuple_intersection_integer(col1, col2, mode=?);
tuple_intersection_theta_double(col1, col2, mode=?);
tuple_intersection_theta_integer(col1, col2, mode=?);
tuple_sketch_agg_double(key, summary, lgNomEntries=?, mode=?);
tuple_sketch_agg_integer(key, summary, lgNomEntries=?, mode=?);
tuple_sketch_summary_double(col, mode=?); tuple_sketch_summary_integer(col, mode=?);
tuple_union_agg_double(col, lgNomEntries=?, mode=?);
tuple_union_agg_integer(col, lgNomEntries=?, mode=?);
tuple_union_double(col1, col2, lgNomEntries=?, mode=?);
tuple_union_integer(col1, col2, lgNomEntries=?, mode=?);
tuple_union_theta_double(col1, col2, lgNomEntries=?, mode=?);
tuple_union_theta_integer(col1, col2, lgNomEntries=?, mode=?); ucase(str);
uniform(min=, max=, seed=?); url_decode(str); url_encode(str); user(); validate_utf8(str);
variant_array_append(v, path=, value); variant_delete(v, *paths=);
variant_get(v, path=, targetType=); variant_insert(v, path=, value);
variant_set(v, path=, value, create_if_missing=:True);
variant_strip_nulls(v, include_arrays=:True); vector_cosine_similarity(left, right);
vector_inner_product(left, right); vector_l2_distance(left, right);
vector_norm(vector, degree?); vector_normalize(vector, degree?); version();
width_bucket(v, min, max, numBucket); window_time(windowColumn); xpath(xml, path);
xpath_boolean(xml, path); xpath_double(xml, path); xpath_float(xml, path);
xpath_int(xml, path); xpath_long(xml, path); xpath_number(xml, path); xpath_short(xml, path);
xpath_string(xml, path); xxhash64(*cols)
"""


def functions() -> dict[str, Callable[..., Column]]:
    """All functions of the table, by name.

    >>> functions()["upper"]("name")
    Column<'upper(name)'>
    """
    lines = [f"{name}(col)" for name in _OF_ONE.split()]
    lines += [line.strip() for line in _OTHERS.replace("\n", " ").split(";") if line.strip()]
    return {function.__name__: function for function in map(made, lines)}
