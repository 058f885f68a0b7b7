test("its worker is killed", () => {
  process.kill(process.pid, "SIGKILL");
});
