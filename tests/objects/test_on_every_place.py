"""What the other tests say of media, wherever the bytes are: run here for each place, see `mock` in conftest."""

# ruff: noqa: F401 - imported to be run

from tests.control.test_media import (
    rest,
    test_a_deleted_medium_is_gone,
    test_a_medium_can_be_added_with_an_age_and_a_uuid,
    test_a_medium_tells_what_was_sent_and_what_is_stored,
)
from tests.control.test_state import (
    test_a_broken_archive_is_refused_and_changes_nothing,
    test_a_reset_of_one_account_leaves_the_others_alone,
    test_a_snapshot_puts_everything_back,
    test_an_archive_carries_an_account_to_another_server,
)
from tests.faults.test_media import test_an_upload_vanishes_after_a_time_on_the_accounts_clock
from tests.protocol.test_serving import (
    picture,
    test_a_known_version_is_not_sent_again,
    test_a_range_beyond_the_end_cannot_be_met,
    test_a_range_is_served,
    test_a_range_of_another_version_gets_the_whole,
    test_any_extension_and_every_known_path_serve_the_picture,
    test_get_serves_the_bytes_with_their_type_and_version,
    test_head_serves_the_same_headers_without_the_bytes,
    url,
)
from tests.tasks.test_inputs import (
    test_a_result_is_an_input_like_any_other,
    test_a_video_is_no_image,
    test_an_image_is_taken_in_every_form,
)
from tests.tasks.test_media_storage import (
    test_a_url_of_a_stored_medium_may_be_stored_again,
    test_any_medium_is_stored_as_it_is,
    test_deleting_one_of_two_keeps_the_content_of_the_other,
)
from tests.tasks.test_results import (
    test_a_result_comes_in_the_form_asked_for,
    test_a_result_without_a_url_is_stored_all_the_same,
    test_an_input_that_was_not_stored_gets_the_uuid_that_the_answer_must_name,
    test_as_many_results_come_as_were_asked_for,
    test_equal_parameters_give_equal_pictures,
)
