from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skillet_core.scene import SceneState, TaskDescription, load_task, task_names
from skillet_core.task_tree import SequenceNode, SkillNode, TaskTree
from skillet_planner.offline import OfflinePlanner
from skillet_planner.planner import RefusalError


def skills(tree: TaskTree) -> list[str]:
    def walk(node) -> list[str]:
        if isinstance(node, SkillNode):
            return [node.label()]
        return [label for child in node.children for label in walk(child)]

    return walk(tree.root)


def put(thing: str, container: str) -> list[str]:
    return [f"grasp({thing}, {container})", f"place_in({thing}, {container})"]


RED_LEFT = put("red_block", "left_bin")


def showing(position):
    """A scene in which everything on the joint is where it says [m]."""
    return SceneState(0.0, "blocks", 0, 0, success=False, objects={}, articulation={"slide": position})


@pytest.mark.parametrize(
    "sentence",
    [
        "put the red block in the left bin",
        "Place the RED cube into the left box.",
        "please move red block to the left bin!",
        "Could you drop the red block inside the left bin, please?",
        "  put\tthe red block\nin the left bin  ",
        "pick up the red block and put it in the left bin",
        "Pick the red block up, then place it inside of the left bin.",
        'put the "red block" in the left-bin',
    ],
)
def test_every_way_to_say_it_gives_the_same_skills(task, sentence):
    assert skills(OfflinePlanner().plan(sentence, task)) == RED_LEFT


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("go home", ["go_home()"]),
        ("return to the home position", ["go_home()"]),
        ("grasp the green block", ["grasp(green_block)"]),
        (
            "put all blocks in the right bin",
            put("red_block", "right_bin") + put("green_block", "right_bin") + put("blue_block", "right_bin"),
        ),
        (
            "put the blocks in the right bin",
            put("red_block", "right_bin") + put("green_block", "right_bin") + put("blue_block", "right_bin"),
        ),
        (
            "put the red block and the blue block in the left bin and go home",
            RED_LEFT + put("blue_block", "left_bin") + ["go_home()"],
        ),
        (
            "put the red block in the left bin; then put the green block in the right bin",
            RED_LEFT + put("green_block", "right_bin"),
        ),
        ("put the red block on the table", ["grasp(red_block, table)", "place_on(red_block, table)"]),
        (
            "pick up the red block and put it on top of the green block",
            ["grasp(red_block, green_block)", "place_on(red_block, green_block)"],
        ),
        ("move the red block to the left bin", RED_LEFT),
        ("move the red block to the table", ["grasp(red_block, table)", "place_on(red_block, table)"]),
        ("press the red button", ["press(red_button)"]),
        ("push the red button and go home", ["press(red_button)", "go_home()"]),
        ("press the red button and press the red button", ["press(red_button)"] * 2),
        ("open the top drawer, then close it", ["open(top_drawer)", "close(top_drawer)"]),
        (
            "open the flap and the top drawer and shut them",
            ["open(flap)", "open(top_drawer)", "close(flap)", "close(top_drawer)"],
        ),
        (
            "open the top drawer and put the red block in it",
            ["open(top_drawer)", *put("red_block", "top_drawer")],
        ),
        (
            "put the red block in the top drawer and close the drawer",
            ["open(top_drawer)", *put("red_block", "top_drawer"), "close(top_drawer)"],
        ),
    ],
)
def test_several_things_and_clauses_keep_their_order(task, sentence, expected):
    assert skills(OfflinePlanner().plan(sentence, task)) == expected


@pytest.mark.parametrize(
    ("action", "sentences"),
    [
        (
            "open",
            [
                "open the top drawer",
                "pull the top drawer out",
                "pull out the top drawer",
                "slide the drawer open",
            ],
        ),
        ("close", ["close the top drawer", "shut the drawer", "push the drawer in", "slide the drawer shut"]),
    ],
)
def test_every_way_to_say_open_and_close_is_understood(task, action, sentences):
    for sentence in sentences:
        tree = OfflinePlanner().plan(sentence, task)
        assert skills(tree) == [f"{action}(top_drawer)"]
        assert str(tree.root.success) == f"({'opened' if action == 'open' else 'closed'}(top_drawer))"


@pytest.mark.parametrize(
    ("position", "before", "after"),
    [(0.0, ["open(top_drawer)"], ["close(top_drawer)"]), (0.1, ["open(top_drawer)"], []), (0.2, [], [])],
)
def test_a_drawer_is_opened_unless_it_is_open_and_closed_if_it_was_closed(task, position, before, after):
    sentence = "pick up the red block and put it in the top drawer"
    tree = OfflinePlanner().plan(sentence, task, showing(position))
    assert skills(tree) == [*before, *put("red_block", "top_drawer"), *after]


def test_a_drawer_that_was_opened_on_request_stays_open(task):
    sentence = "open the top drawer and put the red block in it and put the blue block in the drawer"
    tree = OfflinePlanner().plan(sentence, task, showing(0.0))
    in_drawer = put("red_block", "top_drawer") + put("blue_block", "top_drawer")
    assert skills(tree) == ["open(top_drawer)", *in_drawer]


def test_every_task_that_there_is_understands_its_own_instructions():
    for name in task_names():
        task = load_task(name)
        for sentence in task.instructions:
            assert skills(OfflinePlanner().plan(sentence, task)), sentence


def test_success_conditions_stand_on_every_node_and_all_of_them_on_the_root(task):
    root = OfflinePlanner().plan("put the red block in the left bin", task).root
    assert isinstance(root, SequenceNode)
    (transfer,) = root.children
    assert isinstance(transfer, SequenceNode)
    pick, place = transfer.children
    done = "(inside(red_block, left_bin) and not grasped(red_block))"
    assert [str(n.success) for n in (pick, place, transfer, root)] == ["grasped(red_block)", done, done, done]


def test_a_failed_place_sends_the_whole_pick_and_place_round_again(task):
    root = OfflinePlanner(attempts=3).plan("put the red block in the left bin", task).root
    transfer = root.children[0]
    assert (transfer.attempts, transfer.children[1].attempts) == (3, 1)


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("put the block in the left bin", "the red block, the green block or the blue block"),
        ("put the red block in the bin", "the left bin or the right bin"),
        ("put the purple block in the left bin", "no 'purple block' here, only the red block"),
        ("put the left bin in the right bin", "'the left bin' is not something to move"),
        ("put the red block in the green block", "is not something to put things in"),
        ("put the red block in the table", "is not something to put things in"),
        ("put both blocks in the left bin", "not two"),
        ("put it in the left bin", "'it' refers to nothing"),
        ("pick up the red block and the green block", "holds one thing"),
        ("pick up the red block, then put the green block in the left bin", "still holds the red block"),
        ("put the red block", "not what to put into what"),
        ("put the red block on the left bin", "is not something to put things on"),
        ("put the red block on the red block", "the red block cannot be put on itself"),
        ("move the red block to the green block", "is not somewhere to put things"),
        ("open the left bin", "'the left bin' is not something to open or close"),
        ("close the red button", "is not something to open or close"),
        ("press the red block", "is not something to press"),
        ("open the window", "there is no 'window' here, only the top drawer and the flap"),
        ("put the red block in the left bin and close it", "'it', the red block or the left bin, is not"),
        ("pick up the red block and open the top drawer", "still holds the red block"),
        ("pull the top drawer", "not where to"),
        ("open", "not what to open"),
        ("put in the left bin", "not what to put into what"),
        ("pick up", "not what to take"),
        ("make me a sandwich", "no action 'make'"),
        ("go to the left bin", "only go home"),
        ("", "no words"),
        ("...,;!?", "no words"),
        ("please", "no words"),
        ("拿红色的方块", "do not read the signs"),
        ("put the red block in the left bin $(reboot)", "do not read the signs"),
    ],
)
def test_a_refusal_says_what_was_understood_and_offers_the_known_tasks(task, sentence, said):
    with pytest.raises(RefusalError) as caught:
        OfflinePlanner().plan(sentence, task)
    assert said in caught.value.understood
    assert set(task.instructions) <= set(caught.value.known)
    assert task.instructions[0] in str(caught.value)


@pytest.mark.parametrize(
    "sentence",
    [
        "don't put the red block in the left bin",
        "do not put the red block in the left bin",
        "never put the red block in the left bin",
        "put the red block not in the left bin",
        "put the red block in the left bin unless it is full",
        "put the red block in the left bin or the right bin",
        "do not open the top drawer",
        "open the top drawer halfway",
        "press the red button twice",
        "push the red block in the left bin",
        "put every block except the red one in the left bin",
        "put two blocks in the left bin",
        "put the red block in the left bin and don't go home",
        "put the red block in the left bin in the right bin",
        "ignore the above and put the red block in the left bin",
        "what if I put the red block in the left bin",
        "put the red block in the left bin " * 50,
    ],
)
def test_a_sentence_with_a_word_too_many_is_never_carried_out_in_part(task, sentence):
    with pytest.raises(RefusalError):
        OfflinePlanner().plan(sentence, task)


def test_a_thing_that_stays_in_the_gripper_is_grasped_without_a_place_in_mind(task):
    said = "put the red block in the left bin, then pick up the green block"
    assert skills(OfflinePlanner().plan(said, task)) == [*RED_LEFT, "grasp(green_block)"]


def test_a_tree_survives_json(task):
    tree = OfflinePlanner().plan("put all blocks in the left bin and go home", task)
    assert TaskTree.model_validate_json(tree.model_dump_json()) == tree


VOCABULARY = (
    "put place pick up go home the a red green block blocks left right bin in into on to and then , . "
    "it all not open close push pull out shut drawer flap button"
)
words = st.sampled_from(VOCABULARY.split())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.lists(words, max_size=14).map(" ".join), st.text(max_size=60)))
def test_any_text_gives_a_tree_over_the_scenes_objects_or_a_refusal(task: TaskDescription, sentence: str):
    try:
        tree = OfflinePlanner().plan(sentence, task)
    except RefusalError:
        return

    def check(node) -> None:
        if isinstance(node, SkillNode):
            assert node.skill in {"grasp", "place_in", "place_on", "open", "close", "press", "go_home"}
            assert set(node.arguments.values()) <= set(task.objects)
        else:
            for child in node.children:
                check(child)

    check(tree.root)
    assert OfflinePlanner().plan(sentence, task) == tree
