import { describe, expect, it } from "vitest";
import { cohortOverview } from "../../../src/main/store/cohort-overview.ts";
import { addImage, openTestStore } from "./fixtures.ts";

describe("the overview of a cohort", () => {
  it("counts patients by their number of images, in the order of that number", () => {
    const { database, cohortId } = openTestStore();
    // Many patients with one image, so that the order of the sums is another one.
    const imagesOfPatients = [1, 1, 1, 1, 1, 1, 2, 2, 3];
    imagesOfPatients.forEach((images, patient) => {
      for (let image = 0; image < images; image += 1) {
        addImage(database, cohortId, { patient: `P${patient}`, instance: `${patient}.${image}` });
      }
    });
    expect(cohortOverview(database, cohortId).byImagesPerPatient).toEqual([
      { value: "1", images: 6, patients: 6 },
      { value: "2", images: 4, patients: 2 },
      { value: "3", images: 3, patients: 1 },
    ]);
    database.close();
  });
});
