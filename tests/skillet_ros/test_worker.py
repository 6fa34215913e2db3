import threading

import pytest

pytest.importorskip("skillet_interfaces", reason="needs the built workspace")

import rclpy
from rclpy.action import ActionClient, ActionServer
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.task import Future
from skillet_interfaces.action import ExecuteSkill
from std_msgs.msg import String
from std_srvs.srv import Trigger

from skillet_ros.worker import call_in_executor, in_thread, service_in_thread

pytestmark = pytest.mark.ros


@pytest.fixture
def serve():
    """Serve an action with a blocking function, on an executor that spins in a thread."""
    context = rclpy.Context()
    context.init()
    node = Node("host", context=context)
    executor = EventsExecutor(context=context)
    executor.add_node(node)
    over, never = threading.Event(), Future()

    def spin():
        while not over.is_set():
            executor.spin_until_future_complete(never, timeout_sec=0.1)

    thread = threading.Thread(target=spin)
    thread.start()

    def start(function):
        if function is None:
            return node
        server = ActionServer(node, ExecuteSkill, "work", in_thread(node, function))
        client = ActionClient(node, ExecuteSkill, "work")
        assert client.wait_for_server(20)
        return node, server, client

    yield start
    over.set()
    thread.join(20)
    assert not thread.is_alive()
    executor.shutdown()
    node.destroy_node()
    context.shutdown()


def wait(future):
    done = threading.Event()
    future.add_done_callback(lambda _: done.set())
    assert done.wait(20)
    return future.result()


def test_topics_are_served_while_a_goal_blocks_and_its_result_arrives(serve):
    heard = threading.Event()

    def work(goal):
        assert heard.wait(20)
        goal.succeed()
        return ExecuteSkill.Result(success=True, reason=threading.current_thread().name)

    node, _, client = serve(work)
    node.create_subscription(String, "words", lambda _: heard.set(), 1)
    words = node.create_publisher(String, "words", 1)
    handle = wait(client.send_goal_async(ExecuteSkill.Goal(skill="wait")))
    result = handle.get_result_async()
    timer = node.create_timer(0.05, lambda: words.publish(String(data="go on")))
    answer = wait(result)
    timer.cancel()
    assert answer.result.success
    assert answer.result.reason == "goal"


def test_topics_and_other_calls_are_served_while_a_service_blocks_and_each_caller_is_answered(serve):
    node = serve(None)
    both = threading.Barrier(2)

    def work(_, response):
        both.wait(20)
        response.success, response.message = True, str(threading.get_ident())
        return response

    service_in_thread(node, Trigger, "work", work)
    client = node.create_client(Trigger, "work")
    assert client.wait_for_service(20)
    answers = [wait(future) for future in [client.call_async(Trigger.Request()) for _ in range(2)]]
    assert all(answer.success for answer in answers)
    assert len({answer.message for answer in answers}) == 2


def test_a_call_runs_in_the_executors_thread_and_what_it_raises_arrives_here(serve):
    node = serve(None)
    assert call_in_executor(node, threading.get_ident) != threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        call_in_executor(node, lambda: 1 / 0)


def test_no_answer_to_an_action_is_lost_between_asking_and_noting_it(serve):
    def work(goal):
        goal.succeed()
        return ExecuteSkill.Result(success=True)

    node, _, client = serve(work)
    for _ in range(200):
        handle = wait(call_in_executor(node, lambda: client.send_goal_async(ExecuteSkill.Goal())))
        assert wait(call_in_executor(node, handle.get_result_async)).result.success
