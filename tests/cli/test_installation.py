def test_doctor(call):
    status, answer, _ = call("doctor")
    assert status == 0
    assert answer["ok"]
    assert {"Python", "packages", "workspace", "tables", "runs"} <= {check["name"] for check in answer["checks"]}
