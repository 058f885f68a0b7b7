/** The application: upload a picture, and try again if the service is busy. */
exports.upload = async function upload(picture) {
  const task = { taskType: "imageUpload", taskUUID: crypto.randomUUID(), image: picture.toString("base64") };
  const headers = { Authorization: `Bearer ${process.env.RUNWARE_API_KEY}`, "Content-Type": "application/json" };
  const request = { method: "POST", headers, body: JSON.stringify([task]) };
  let answer = await fetch(process.env.RUNWARE_BASE_URL, request);
  for (let tries = 1; tries < 3 && answer.status >= 500; tries += 1) {
    answer = await fetch(process.env.RUNWARE_BASE_URL, request);
  }
  if (!answer.ok) throw new Error(`the upload failed: ${await answer.text()}`);
  return (await answer.json()).data[0];
};
