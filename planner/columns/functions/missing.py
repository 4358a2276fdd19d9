"""Functions of Spark that are not there, so that they say so."""

from __future__ import annotations

from planner.columns.functions.rowwise import absent

absent(
    """
    aes_decrypt aes_encrypt approx_top_k_accumulate approx_top_k_combine
    approx_top_k_estimate bitmap_bit_position bitmap_bucket_number bitmap_count collations
    collect_union counter_diff current_path from_avro from_protobuf from_xml
    hll_sketch_estimate hll_union hmac input_file_block_length input_file_block_start
    is_valid_variant is_variant_null java_method kll_merge_agg_bigint kll_merge_agg_double
    kll_merge_agg_float kll_sketch_get_n_bigint kll_sketch_get_n_double
    kll_sketch_get_n_float kll_sketch_get_quantile_bigint kll_sketch_get_quantile_double
    kll_sketch_get_quantile_float kll_sketch_get_rank_bigint kll_sketch_get_rank_double
    kll_sketch_get_rank_float kll_sketch_merge_bigint kll_sketch_merge_double
    kll_sketch_merge_float kll_sketch_to_string_bigint kll_sketch_to_string_double
    kll_sketch_to_string_float localtime measure parse_json reflect schema_of_avro
    schema_of_variant schema_of_variant_agg schema_of_xml st_asbinary st_geogfromwkb
    st_geomfromwkb st_setsrid st_srid theta_difference theta_intersection
    theta_sketch_estimate theta_union to_avro to_protobuf to_variant_object to_xml
    try_aes_decrypt try_parse_json try_reflect try_variant_array_append try_variant_get
    try_variant_insert try_variant_set tuple_difference_double tuple_difference_integer
    tuple_difference_theta_double tuple_difference_theta_integer
    tuple_intersection_agg_double tuple_intersection_agg_integer tuple_intersection_double
    tuple_intersection_integer tuple_intersection_theta_double
    tuple_intersection_theta_integer tuple_sketch_agg_double tuple_sketch_agg_integer
    tuple_sketch_estimate_double tuple_sketch_estimate_integer tuple_sketch_summary_double
    tuple_sketch_summary_integer tuple_sketch_theta_double tuple_sketch_theta_integer
    tuple_union_agg_double tuple_union_agg_integer tuple_union_double tuple_union_integer
    tuple_union_theta_double tuple_union_theta_integer uniform variant_array_append
    variant_delete variant_explode variant_explode_outer variant_get variant_insert
    variant_set variant_strip_nulls vector_avg vector_cosine_similarity vector_inner_product
    vector_l2_distance vector_norm vector_normalize vector_sum xpath xpath_boolean
    xpath_double xpath_float xpath_int xpath_long xpath_number xpath_short xpath_string
    """
)
